import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Instance } from '../../common/model/instance.ts';
import { labApi } from '../lab/api.ts';
import { computeMissing } from '../lab/compute.ts';
import { type LabConsole, startConsole } from '../lab/console.ts';
import { enrolHosts } from '../lab/enrol.ts';
import { createLab } from '../lab/lab.ts';
import { registerTiny } from '../lab/register-tiny.ts';
import { ROOT } from '../support/program.ts';

// What `npm run lab` tells a newcomer to try, with the command line: launch, move, compute, delete.

const distDir = join(ROOT, 'dist');

describe.skipIf(process.getuid?.() !== 0)('the lines that the lab prints', () => {
  const lab = createLab({ name: `wvy-${process.pid}`, hosts: 2 });
  const computes = computeMissing() === null;
  let cloud: LabConsole;

  beforeAll(async () => {
    await lab.up();
    const compute = computes ? { compute: { kernels: ['python'] } } : {};
    cloud = await startConsole(lab, { distDir, port: 4600, listenPort: 0, ...compute });
    await enrolHosts(lab, cloud, { distDir, port: 4600 });
    await registerTiny(lab, cloud);
  });
  afterAll(async () => {
    await cloud?.stop();
    await lab.down();
  });

  async function webvirt(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const where = ['--url', cloud.url, '--data-dir', cloud.dataDir];
    try {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [
        join(distDir, 'cli', 'main.js'),
        ...[...where, ...args],
      ]);
      return { code: 0, out: stdout, err: stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, out: stdout, err: stderr };
    }
  }
  const until = async <T>(uri: string, fits: (list: T[]) => boolean) => (await labApi(cloud)).until<T[]>(uri, fits);

  test('an instance is launched where there is most room, boots, moves while it runs, and is deleted', async () => {
    const launched = await webvirt('launch', 'mine', '--base', 'tiny', '--memory', '96MiB', '--network', 'br0');
    expect(launched).toMatchObject({ code: 0, out: expect.stringMatching(/^launch mine: done in .* on h[12]\n$/) });
    expect(launched.err).toMatch(/^on h[12]: /);
    const { id, hostName } = (await until<Instance>('/api/v1/instances', (list) => list.length === 1))[0]!;
    const [from, to] = hostName === 'h1' ? lab.hosts : [...lab.hosts].reverse();
    // The log of its console has the name of its id, and the guest has its own.
    await from!.awaitConsole(id, /heartbeat 1 mine /);

    const checks = await webvirt('migrate', 'mine', to!.name, '--check');
    expect(checks).toMatchObject({ code: 0, out: expect.stringContaining(`mine can move to ${to!.name}`) });
    const moved = await webvirt('migrate', 'mine', to!.name);
    expect(moved).toMatchObject({ code: 0, out: expect.stringMatching(/on h[12] now; stood still \d+ ms/) });
    expect((await to!.virsh('list', '--uuid')).stdout.trim()).toBe(id);
    expect((await from!.virsh('list', '--all', '--uuid')).stdout.trim()).toBe('');

    expect(await webvirt('delete', 'mine')).toMatchObject({ code: 1, err: expect.stringContaining('--yes') });
    const [disk] = (await to!.virsh('domblklist', '--details', id)).stdout.match(/\/\S+\.qcow2/) ?? [];
    expect(await webvirt('delete', 'mine', '--yes', 'mine', '--force')).toMatchObject({ code: 0 });
    expect(existsSync(join(lab.imagesDir, disk!.split('/').at(-1)!))).toBe(false);
    expect(existsSync(join(lab.imagesDir, 'base/tiny.qcow2'))).toBe(true);
  });

  test.skipIf(!computes)('code runs on a host, and its exit code tells how it went', async () => {
    await until<{ state: string }>('/api/v1/compute/servers', (list) => list.some(({ state }) => state === 'ready'));
    const run = (code: string) => webvirt('run', '--kernel', 'python', code);
    expect(await run('print("begun"); 2**64 + 1')).toEqual({ code: 0, out: 'begun\n18446744073709551617\n', err: '' });
    expect(await run('1/0')).toMatchObject({ code: 1, err: expect.stringContaining('ZeroDivisionError') });
    expect(await run('import os; os._exit(3)')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/ended: .*code 3/),
    });
    expect(await webvirt('run', '1 + 1')).toMatchObject({ code: 1, err: expect.stringContaining('--kernel python') });
  });
});
