import type { Scan, ScanKind } from '../../common/model/discovery.ts';
import { type Cidr, containsAddress, printCidr } from '../../common/pure/ip/cidr.ts';
import type { Book } from '../book/book.ts';
import type { Observer } from '../observe.ts';
import type { HostRecord } from './hosts-xml.ts';
import type { NmapRun } from './nmap.ts';
import { type Piece, piecesOfAddresses, piecesOfRange } from './pieces.ts';

export interface ScanOrder {
  id: string;
  kind: ScanKind;
  range: Cidr;
  actor: string;
  /** Probes a second, of the whole scan. */
  rate: number;
}

export interface ScanDeps {
  book: Book;
  observer: Observer;
  nmap(run: Pick<NmapRun, 'piece' | 'rate' | 'signal' | 'onHost'>): Promise<void>;
  /** How many calls of nmap run side by side: while one waits for late answers the other sends. */
  parallel: number;
  limitMs: number;
  signal: AbortSignal;
  now(): number;
  /** Called at the start, at each step and at the end. */
  onProgress(scan: Scan): void;
}

/** Answers of the port itself: nobody listens there. Every other answer says only that a host is up. */
const REFUSALS = new Set(['reset', 'conn-refused']);

/**
 * Runs one scan to its end and resolves with its outcome; never rejects. As root, nmap asks a neighbour on the same
 * segment by ARP and knows its own addresses without asking: then we look for ourselves.
 */
export async function runScan(order: ScanOrder, deps: ScanDeps): Promise<Scan> {
  const { book, observer } = deps;
  const broken = new AbortController();
  const signal = AbortSignal.any([deps.signal, broken.signal, AbortSignal.timeout(deps.limitMs)]);
  const looks: Promise<unknown>[] = [];
  const looked = new Set<number>();
  const up = new Set<number>();
  const pieces = piecesOf(order, book);
  const scan: Scan = {
    id: order.id,
    kind: order.kind,
    range: printCidr(order.range),
    state: 'running',
    actor: order.actor,
    startedMs: deps.now(),
    endedMs: null,
    addresses: pieces.reduce((sum, piece) => sum + piece.addresses, 0),
    scanned: 0,
    up: 0,
    agents: 0,
    error: null,
  };
  const progress = () => deps.onProgress({ ...scan });

  function look(address: number): void {
    if (looked.has(address) || signal.aborted) return;
    looked.add(address);
    looks.push(
      observer.look(address, order.id).then((seen) => {
        if (seen.outcome === 'found' && seen.finding.id !== null) scan.agents += 1;
      }),
    );
  }
  function onHost({ address, reason }: HostRecord): void {
    up.add(address);
    scan.up = up.size;
    if (REFUSALS.has(reason) && book.agentAt(address) === null) observer.refused(address, order.id);
    else look(address);
  }
  async function scanPiece(piece: Piece): Promise<void> {
    const rate = Math.max(1, Math.floor(order.rate / Math.min(deps.parallel, pieces.length)));
    await deps.nmap({ piece, rate, signal, onHost });
    scan.scanned += piece.addresses;
    for (const { base, bits } of piece.blocks)
      for (let address = base; address < base + 2 ** (32 - bits); address += 1)
        if (!up.has(address)) observer.silent(address, order.id);
    progress();
  }

  progress();
  try {
    // Whoever answered before is asked at once, without waiting for a group of nmap's.
    if (order.kind === 'whole')
      for (const entry of book.agents()) if (containsAddress(order.range, entry.address)) look(entry.address);
    await inTurn(pieces, deps.parallel, scanPiece);
    await Promise.all(looks);
    signal.throwIfAborted();
    scan.state = 'done';
  } catch (error) {
    // The pieces beside the one that failed would fail alike.
    broken.abort();
    await Promise.allSettled(looks);
    scan.state = 'failed';
    scan.error = reasonOf(error, deps.signal.aborted, deps.limitMs);
  }
  scan.endedMs = deps.now();
  progress();
  return scan;
}

function piecesOf({ kind, range }: ScanOrder, book: Book): Piece[] {
  if (kind === 'whole') return piecesOfRange(range);
  return piecesOfAddresses(kind === 'silent' ? book.silentIn(range) : book.upIn(range));
}

/** The first one alone, since somebody may wait for what it finds; then the others, `width` side by side. */
async function inTurn<T>(items: T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const [first, ...rest] = items;
  if (first === undefined) return;
  await work(first);
  const worker = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, rest.length) }, worker));
}

function reasonOf(error: unknown, stopped: boolean, limitMs: number): string {
  if (stopped) return 'The crawler was stopped.';
  if ((error as Error).name === 'TimeoutError')
    return `The scan was not through after ${Math.round(limitMs / 1000)} s.`;
  return (error instanceof Error ? error.message : String(error)).slice(0, 512);
}
