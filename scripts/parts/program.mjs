import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { inRoot } from './root.mjs';

const RESTART_FIRST_MS = 500;
const RESTART_MOST_MS = 10_000;
const STOP_LIMIT_MS = 10_000;

const ofNode = (name) => [
  process.execPath,
  '--enable-source-maps',
  '--disable-proto=delete',
  inRoot('dist', name, 'main.js'),
];

/**
 * Keeps one of our programs running: starts it, waits for its ready line, starts it again when it dies, stops it.
 * `onLine` gets what it writes to stderr; `argv` is what runs when it is not a program of `dist`. `onEnd` is asked
 * whether to start it again. `restart` ends it once for a fresh start, without asking.
 */
export function keepProgram(name, { env, onLine, onEnd, argv = ofNode(name) }) {
  let child = null;
  let stopping = false;
  let restarting = false;
  let delayMs = RESTART_FIRST_MS;
  let timer = null;

  const start = () =>
    new Promise((resolve) => {
      // Its own process group, so that Ctrl-C reaches only us and the order of stopping is ours; its standard input
      // ends with us, however we end: that is how it knows to stop when we are killed.
      child = spawn(argv[0], argv.slice(1), {
        env: { ...process.env, ...env, WEBVIRT_STOP_WITH_STDIN: '1' },
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: true,
      });
      child.stdin.on('error', () => {});
      createInterface({ input: child.stderr }).on('line', onLine);
      createInterface({ input: child.stdout }).on('line', (line) => {
        try {
          const message = JSON.parse(line);
          if (message.ready !== true) return;
          delayMs = RESTART_FIRST_MS;
          resolve(message);
        } catch {
          onLine(line);
        }
      });
      child.on('error', (error) => onLine(String(error.message)));
      child.on('exit', (code, signal) => {
        resolve(null);
        child = null;
        if (stopping) return;
        if (restarting) {
          restarting = false;
          return void start();
        }
        const restart = onEnd(code, signal, delayMs);
        if (!restart) return;
        timer = setTimeout(start, delayMs);
        delayMs = Math.min(delayMs * 2, RESTART_MOST_MS);
      });
    });

  const stop = () =>
    new Promise((resolve) => {
      stopping = true;
      if (timer !== null) clearTimeout(timer);
      if (child === null) return resolve();
      const last = child;
      const limit = setTimeout(() => {
        onLine(`did not stop within ${STOP_LIMIT_MS / 1000} s and was killed`);
        last.kill('SIGKILL');
      }, STOP_LIMIT_MS);
      last.once('exit', () => {
        clearTimeout(limit);
        resolve();
      });
      last.kill('SIGTERM');
    });

  const restart = () => {
    if (stopping || child === null) return;
    restarting = true;
    child.kill('SIGTERM');
  };

  return { name, start, stop, restart };
}
