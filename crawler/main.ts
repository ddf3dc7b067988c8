import { isWebvirtError } from '../common/errors.ts';
import { type CrawlerConfig, readConfig, stopsWithStdin } from './config.ts';
import { openCrawler } from './crawler.ts';

declare const __WEBVIRT_VERSION__: string | undefined;
const VERSION = typeof __WEBVIRT_VERSION__ === 'string' ? __WEBVIRT_VERSION__ : 'development';

const STOP_LIMIT_MS = 5_000;
const PLACE = 'cannot be made or written by this user';
const WORDS: Record<string, string> = {
  SQLITE_FULL: 'has no space left: the disk is full',
  ENOSPC: 'has no space left: the disk is full',
  SQLITE_BUSY: 'is in use by another crawler',
  EACCES: PLACE,
  EPERM: PLACE,
  EROFS: 'is on a file system that is mounted read-only',
  ENOENT: 'cannot be made: it is not on a disk',
  ENOTDIR: 'is not a folder, or lies inside a file',
  SQLITE_CANTOPEN: PLACE,
  SQLITE_READONLY: PLACE,
};

let config: CrawlerConfig | null = null;

/** Ends with one line on stderr: 2 for the configuration, 1 for the rest. */
function fail(error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException;
  const words = WORDS[code ?? ''];
  const reason =
    config === null || words === undefined
      ? message.replaceAll('\n', ' ')
      : `dataDir: ${config.dataDir} ${words} (WEBVIRT_CRAWLER_DATA_DIR)`;
  process.stderr.write(`crawler: ${reason}\n`);
  process.exit(isWebvirtError(error, 'bad-config') ? 2 : 1);
}

try {
  config = readConfig();
  const crawler = openCrawler(config, VERSION);
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    // A scan that does not end by itself must not keep the machine from shutting down.
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
    crawler.stop().then(() => process.exit(0), fail);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  if (stopsWithStdin()) process.stdin.on('end', stop).on('close', stop).resume();
  crawler.start();
  process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
} catch (error) {
  fail(error);
}
