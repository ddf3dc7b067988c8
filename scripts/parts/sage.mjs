import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { APT_ENV, aptInstall, isDebian, isRoot, missingOf } from './packages.mjs';

const SAGE = 'sagemath';

/** The last line apt has written. */
function lastWords(path) {
  try {
    return readFileSync(path, 'utf8').trim().split('\n').at(-1);
  } catch {
    return '';
  }
}

/**
 * Brings SageMath while everything else runs already: root on Debian only, and not with WEBVIRT_SAGE=no. Says in plain
 * lines what it does. `onInstalled` is called when the kernel can be had. Returns `{ stop }`; stop waits for nothing.
 */
export function bringSage({
  say,
  logPath,
  onInstalled,
  wish = process.env.WEBVIRT_SAGE,
  aptGet = 'apt-get',
  missing = missingOf,
}) {
  let child = null;
  let stopped = false;
  let unpacking = false;

  /** Its words go to a file: what is unpacked when we end goes on without us, and must not die of a closed pipe. */
  const apt = (args) =>
    new Promise((resolve) => {
      mkdirSync(dirname(logPath), { recursive: true });
      const log = openSync(logPath, 'a', 0o600);
      child = spawn(aptGet, args, { env: APT_ENV, stdio: ['ignore', log, log], detached: true });
      closeSync(log);
      child.on('error', () => resolve(127));
      child.on('exit', (code) => resolve(code ?? 128));
    });

  const work = async () => {
    if (wish === 'no' || (await missing([SAGE])).length === 0 || (await missing(['python3'])).length > 0) return;
    if (!isRoot() || !isDebian()) {
      return say('SageMath is not installed (Debian package sagemath): computations are offered in Python only.');
    }
    if (stopped) return;
    say('SageMath is not installed. It is being fetched beside (about 600 MB, 2 GB on disk); everything else works');
    say('meanwhile, and the kernel "sage" appears when it is there. WEBVIRT_SAGE=no leaves it out.');
    await apt(['update', '-qq']);
    // Two steps: a download may be broken off at any time, an installation may not.
    let code = stopped ? 0 : await apt(aptInstall([SAGE], '--download-only'));
    if (stopped) return;
    unpacking = true;
    if (code === 0) code = await apt(aptInstall([SAGE]));
    unpacking = false;
    if (stopped) return;
    if (code !== 0 || (await missing([SAGE])).length > 0) {
      say(`SageMath could not be installed: ${lastWords(logPath)} (more in ${logPath})`);
      return say('Computations go on in Python only. To try by hand: apt-get install --no-install-recommends sagemath');
    }
    say('SageMath is installed.');
    onInstalled();
  };
  void work();

  return {
    stop() {
      stopped = true;
      if (child === null || child.exitCode !== null) return;
      if (unpacking) {
        child.unref();
        say(`SageMath goes on being installed in the background; what apt says is in ${logPath}.`);
      } else child.kill('SIGTERM');
    },
  };
}
