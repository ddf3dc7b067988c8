import { fileURLToPath } from 'node:url';
import { isWebvirtError } from '../common/errors.ts';
import { readManagerConfig, stopsWithStdin } from './config.ts';
import { createManager, type Manager } from './manager.ts';

/** Written in by the build. */
declare const __WEBVIRT_VERSION__: string | undefined;

const EXIT_FAILED = 1;
const EXIT_BAD_CONFIG = 2;
/** A stop that takes longer is ended: whoever waits for us would kill us then. */
const STOP_LIMIT_MS = 9000;

/** One clear line for people, then the end. */
function end(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`webvirt manager: ${message}\n`);
  process.exit(
    isWebvirtError(error, 'bad-config') || isWebvirtError((error as Error).cause, 'bad-config')
      ? EXIT_BAD_CONFIG
      : EXIT_FAILED,
  );
}

/** The console beside this file in `dist/`, or where a run from the sources finds the built one. */
function builtConsole(): string {
  return fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../dist/web' : '../web', import.meta.url));
}

function stopOnSignals(manager: Manager): void {
  let stopping = false;
  const stop = () => {
    // Asked twice: whoever asks does not want to wait.
    if (stopping) process.exit(EXIT_FAILED);
    stopping = true;
    setTimeout(() => process.exit(EXIT_FAILED), STOP_LIMIT_MS).unref();
    manager.stop().then(() => process.exit(0), end);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  if (!stopsWithStdin()) return;
  // The parent holds the other end: when it is gone, however it went, nobody needs us.
  process.stdin.on('end', () => stopping || stop());
  process.stdin.on('error', () => stopping || stop());
  process.stdin.resume();
}

async function main(): Promise<void> {
  // What the databases write is for this user alone, wherever the data directory lies.
  process.umask(0o077);
  const config = readManagerConfig();
  const version = typeof __WEBVIRT_VERSION__ === 'string' ? __WEBVIRT_VERSION__ : '0.0.0';
  const manager = createManager(config, { version, webFolder: config.http.webDir ?? builtConsole(), stderr: true });
  stopOnSignals(manager);
  const { url, firstPassword } = await manager.start();
  process.stdout.write(`${JSON.stringify({ ready: true, url, firstPassword })}\n`);
}

process.on('uncaughtException', end);
process.on('unhandledRejection', end);
main().catch(end);
