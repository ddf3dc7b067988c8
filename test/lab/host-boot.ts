import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { memberEnv } from './enter.ts';
import { type LabNames, netnsPath } from './names.ts';
import { onlyChild, type ProcessId, processId } from './processes.ts';
import { LabError } from './run.ts';
import type { SharedStorage } from './storage.ts';

const INIT_SCRIPT = join(dirname(fileURLToPath(import.meta.url)), 'host-init.sh');
const BOOT_LIMIT_MS = 60_000;

export interface BootInput {
  readonly name: string;
  readonly netns: string;
  readonly hostDir: string;
  readonly imagesDir: string;
  readonly bootDir: string;
  readonly locksDir: string;
  readonly storage: SharedStorage;
}

/**
 * Starts the namespaces of a host with our init in them and waits until its libvirt answers.
 * The host does not depend on this process afterwards.
 * @returns PID 1 of the host, as this machine sees it
 * @throws LabError with the reason the init gave, or after 20 s.
 */
export async function bootHost(names: LabNames, host: BootInput): Promise<ProcessId> {
  const logPath = join(host.hostDir, 'init.log');
  const log = await open(logPath, 'a');
  const child = spawn(
    'nsenter',
    [
      ...[`--net=${netnsPath(host.netns)}`, '--'],
      ...['unshare', '--fork', '--kill-child', '--pid', '--mount', '--uts', '--ipc', '--mount-proc', '--'],
      ...['sh', INIT_SCRIPT, host.name, host.hostDir, host.imagesDir, host.bootDir, host.locksDir],
      ...[host.storage.bindfs?.program ?? '', host.storage.bindfs?.libraryDir ?? ''],
    ],
    { cwd: '/', env: memberEnv(names), stdio: ['ignore', 'pipe', log.fd], detached: true },
  );
  await log.close();
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new LabError(`not up within ${BOOT_LIMIT_MS / 1000} s`)), BOOT_LIMIT_MS);
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        finish();
      };
      createInterface({ input: child.stdout! }).on('line', (line) => {
        if (line === 'ready') settle(resolve);
      });
      child.on('error', (error) => settle(() => reject(error)));
      child.on('exit', () => settle(() => reject(new LabError('its init ended'))));
    });
  } catch (cause) {
    child.kill('SIGKILL');
    const reason = (await readFile(logPath, 'utf8')).trim().split('\n').at(-1);
    throw new LabError(`host ${host.name}: ${(cause as Error).message}${reason ? `: ${reason}` : ''}`, { cause });
  } finally {
    child.stdout?.destroy();
    child.unref();
  }
  const init = processId(onlyChild(child.pid!) ?? -1);
  if (!init) throw new LabError(`host ${host.name} ended right after its start`);
  return init;
}
