import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scan } from '../common/model/discovery.ts';
import { parseIpv4, printIpv4 } from '../common/pure/ip/address.ts';
import { containsAddress, printCidr } from '../common/pure/ip/cidr.ts';
import { createLogger } from '../logging/logger.ts';
import { createSpool } from '../logging/spool/spool.ts';
import { createBook } from './book/book.ts';
import { createBookFile } from './book/book-file.ts';
import { logDifference } from './book/difference.ts';
import { classify } from './classify/classify.ts';
import { createLimiter } from './classify/limiter.ts';
import type { CrawlerConfig } from './config.ts';
import type { Logger } from './log.ts';
import { createObserver } from './observe.ts';
import { createConnection, type KnownHost, type RunRequest } from './report/connection.ts';
import { createReporter } from './report/reporter.ts';
import { createLineShipper, type WaitingLines } from './report/ship-lines.ts';
import { runNmap } from './scan/nmap.ts';
import { runScan, type ScanOrder } from './scan/run-scan.ts';
import { askKnown } from './schedule/known.ts';
import { repeat } from './schedule/repeat.ts';
import { createScans } from './schedule/scans.ts';

export interface CrawlerDeps {
  log: Logger;
  lines: WaitingLines;
  version: string;
  /** The manager's token for us, or null while there is none. */
  token(): string | null;
  /** PEM of the CA of an https manager. */
  ca: string | undefined;
}

export interface Crawler {
  start(): void;
  stop(): Promise<void>;
}

/** The crawler as a program: its own spool, its logger, its files. Throws SQLite's and the file system's errors. */
export function openCrawler(config: CrawlerConfig, version: string): Crawler {
  const spool = createSpool(
    {
      path: join(config.dataDir, 'spool.sqlite'),
      capBytes: config.spool.cap,
      batchMaxLines: FRAME_LINES,
      source: 'crawler',
      now: Date.now,
    },
    {},
  );
  const log = createLogger({
    program: 'crawler',
    level: config.logLevel,
    stderr: true,
    sinks: [{ add: (line) => spool.append(line) }],
  });
  const crawler = createCrawler(config, {
    log,
    lines: spool,
    version,
    token: () => textOf(config.tokenFile),
    ca: config.caFile === '' ? undefined : readFileSync(config.caFile, 'utf8'),
  });
  return {
    start() {
      log.info('the crawler starts', { version, ranges: config.blocks.map(printCidr), manager: config.managerUrl });
      crawler.start();
    },
    async stop() {
      await crawler.stop();
      log.info('the crawler stopped');
      spool.close();
    },
  };
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null;
  } catch {
    return null;
  }
}

/** One frame must fit into one message to the manager, which takes a mebibyte. */
const FRAME_LINES = 500;
const BOOK_SAVE_MS = 5_000;

/** The crawler put together: book, prober, scans and the connection to the manager. */
export function createCrawler(config: CrawlerConfig, deps: CrawlerDeps): Crawler {
  const { log } = deps;
  const ending = new AbortController();
  const now = () => Date.now();
  const bookFile = createBookFile(config.dataDir, log);
  const book = createBook(bookFile.read());
  const probing = createLimiter(config.probe.parallel);
  const inRange = (address: number) => config.blocks.some((block) => containsAddress(block, address));
  let enrolled = new Map<number, string>();
  let ours = new Set<string>();

  const connection = createConnection(
    { ...deps, url: config.managerUrl, ranges: config.blocks.map(printCidr), epochs: () => deps.lines.epochs() },
    {
      onReady(cursors, newEpoch) {
        shipper.resume(cursors, newEpoch);
        reporter.everything(book.agents().map((entry) => entry.finding));
        scans.start();
      },
      onDown: () => shipper.pause(),
      onRun: (request) => (request.kind === 'known' ? void passKnown(request) : scans.order(request)),
      onKnown: learnEnrolled,
    },
  );
  const reporter = createReporter(connection.tell, now);
  const shipper = createLineShipper(deps.lines, connection.sendLines);
  const observer = createObserver({
    book,
    classify: (address) =>
      probing(() =>
        classify(address, config.agentPort, {
          limitMs: config.probe.timeLimit,
          signal: ending.signal,
          isOurs: (id) => ours.has(id),
        }),
      ),
    onFinding: reporter.finding,
    onDifference: (difference) => logDifference(log, difference),
    onVanished: (address, scanId) => reporter.vanished({ address: printIpv4(address), port: config.agentPort }, scanId),
  });
  const scans = createScans({ config, run, tell: reporter.scan, now });
  const passKnown = async ({ scanId: id, actor }: RunRequest) => {
    const scan = await askKnown({ addresses: knownAddresses, look: observer.look, range: rangesText(config), now });
    reporter.scan({ ...scan, id, actor });
  };
  const knownTask = async () => {
    if (knownAddresses().length === 0) return;
    reporter.scan(await askKnown({ addresses: knownAddresses, look: observer.look, range: rangesText(config), now }));
  };
  const known = repeat(knownTask, config.scans.known.period, config.scans.known.period);
  const saving = repeat(async () => bookFile.write(book.state()), BOOK_SAVE_MS, BOOK_SAVE_MS);
  const lastError = new Map<string, string | null>();

  function knownAddresses(): number[] {
    const all = new Set([...book.agents().map((entry) => entry.address), ...enrolled.keys()]);
    // A book of other days may hold what is configured no more.
    return [...all].filter(inRange);
  }
  function learnEnrolled(list: KnownHost[]): void {
    ours = new Set(list.map((host) => host.id));
    enrolled = new Map();
    for (const { address, port, id } of list) {
      const number = parseIpv4(address);
      if (number !== null && port === config.agentPort) enrolled.set(number, id);
    }
    known.nudge();
  }
  async function run(order: ScanOrder): Promise<Scan> {
    const scan = await runScan(order, {
      book,
      observer,
      nmap: (piece) => runNmap({ ...piece, program: config.nmap, port: config.agentPort, limitMs: config.timeLimit }),
      parallel: config.parallel,
      limitMs: config.timeLimit,
      signal: ending.signal,
      now,
      onProgress: reporter.scan,
    });
    if (!ending.signal.aborted) logOutcome(scan);
    return scan;
  }
  function logOutcome(scan: Scan): void {
    const { id, kind, range, actor, addresses, up, agents, error } = scan;
    const fields = {
      scan: id,
      kind,
      range,
      actor,
      addresses,
      up,
      agents,
      error,
      tookMs: scan.endedMs! - scan.startedMs!,
    };
    const repeated = lastError.get(id) === error;
    lastError.set(id, error);
    // A planned scan that fails for the same reason each time is said once.
    if (error !== null) log[repeated ? 'debug' : 'warn']('a scan failed', fields);
    else log[actor === 'schedule' ? 'debug' : 'info']('a scan is done', fields);
    if (scan.actor !== 'schedule') lastError.delete(id);
  }

  return {
    start() {
      if (config.blocks.length === 0) log.info('no ranges are configured: nothing is scanned');
      connection.start();
    },
    async stop() {
      ending.abort();
      connection.stop();
      shipper.stop();
      await Promise.all([scans.stop(), known.stop(), saving.stop()]);
      bookFile.write(book.state());
    },
  };
}

function rangesText(config: CrawlerConfig): string {
  const text = config.blocks.map(printCidr).join(', ');
  return text.length <= 64 ? text : `${config.blocks.length} ranges`;
}
