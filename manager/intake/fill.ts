import { isWebvirtError, WebvirtError } from '../../common/errors.ts';
import { foundLinesSchema } from '../../common/wire/found-lines.ts';
import { EMPTY_HASH } from '../../common/wire/link.ts';
import type { Bus } from '../bus/bus.ts';
import type { EpochLedger, LineStore } from '../store/ports.ts';
import { runningHash } from './chain.ts';
import type { IncomingFrame, IntakeLog } from './ports.ts';
import { ownSources, readColumns } from './read-columns.ts';

/** The agent reads some of its spool for each answer. */
const ASK_DEADLINE_MS = 15_000;
/** Answers of about half a megabyte each; what is beyond is filled by asking again. */
const LIMIT_ASKS = 400;

/** What came of it. `reason` says why numbers are still missing; null when none is. */
export interface FillOutcome {
  filled: number;
  stillMissing: number;
  reason: string | null;
}

export interface FillDeps {
  lines: Pick<LineStore, 'ledger' | 'fill' | 'hashAt'>;
  ask(hostId: string, what: 'lines', args: Record<string, unknown>, options: { deadlineMs: number }): Promise<unknown>;
  bus: Bus;
  log: IntakeLog;
  nowMs: () => number;
  /** An agent's clock minus ours. */
  clockOffsetMs(agent: string): number;
}

export interface Fills {
  /**
   * Asks the agent for what is missing of its numbers `from..to` (all when absent) and stores what it still has. Throws
   * `not-found` for an unknown epoch, and the store's errors; an agent that cannot help is an outcome, not an error.
   */
  fill(
    agent: string,
    epoch: string,
    range: { from?: number | undefined; to?: number | undefined },
  ): Promise<FillOutcome>;
}

/** A frame that must not be stored, and why. */
class WrongLines extends Error {}

export function createFills(deps: FillDeps): Fills {
  const { lines, bus, log } = deps;
  /** One at a time for each agent: two would ask for the same. */
  const busy = new Map<string, Promise<unknown>>();

  async function entryOf(agent: string, epoch: string): Promise<EpochLedger> {
    const entry = (await lines.ledger(agent)).find((one) => one.epoch === epoch);
    if (entry === undefined)
      throw new WebvirtError('not-found', 'Nothing was ever received of this epoch of this agent.');
    return entry;
  }

  async function askFor(agent: string, epoch: string, from: number, to: number): Promise<IncomingFrame[]> {
    const said = await deps.ask(agent, 'lines', { epoch, from, to }, { deadlineMs: ASK_DEADLINE_MS });
    const found = foundLinesSchema.safeParse(said);
    if (!found.success) throw new WrongLines('The agent answered in a form that is not known here.');
    return found.data.frames.map(({ header, body }) => ({ header, body: Buffer.from(body, 'base64') }));
  }

  /** The chain of hashes is held against what is stored on either side, where that is known. */
  async function mustBelong(entry: EpochLedger, { header, body }: IncomingFrame): Promise<void> {
    const { agent, epoch } = entry;
    const before = header.first === 0 ? EMPTY_HASH : await lines.hashAt(agent, epoch, header.first);
    const behind = await lines.hashAt(agent, epoch, header.first + header.count);
    const isOther = (before !== null && before !== header.prev) || header.epoch !== epoch;
    // The end of an epoch that had vanished is not known by its hash: there it is the one before it.
    const endsElse = behind !== null && behind !== before && behind !== header.hash;
    const isAltered = body.byteLength !== header.bytes || runningHash(header.prev, body) !== header.hash;
    if (!isOther && !endsElse && !isAltered) return;
    log.error('An agent has other lines under numbers that are missing', {
      ...{ agent, epoch, first: header.first, count: header.count, altered: isAltered, source: 'audit' },
    });
    throw new WrongLines(
      'What the agent has under these numbers does not belong there: its chain of hashes is another.',
    );
  }

  async function store(entry: EpochLedger, frame: IncomingFrame): Promise<number> {
    const { agent, epoch, host, hostName } = entry;
    const { first, count, hash } = frame.header;
    await mustBelong(entry, frame);
    const read = readColumns(frame.body, count);
    if (typeof read === 'string') throw new WrongLines(`What the agent has cannot be taken: ${read}.`);
    const offsetMs = deps.clockOffsetMs(agent);
    const committed = await lines.fill({
      ...{ agent, host, hostName, epoch, first, count, hash, receivedMs: deps.nowMs() },
      ...(offsetMs === 0 ? {} : { clockOffsetMs: offsetMs }),
      ...{ columns: ownSources(read, agent), gap: null },
    });
    if (committed.length > 0) bus.emit('lines', { batches: committed });
    return committed.reduce((sum, batch) => sum + batch.count, 0);
  }

  /** One gap, from the front; answers why it ends, or null when the agent gave all it has. */
  async function fillGap(entry: EpochLedger, from: number, to: number, add: (filled: number) => void) {
    let at = from;
    for (let asks = 0; at <= to && asks < LIMIT_ASKS; asks += 1) {
      const frames = await askFor(entry.agent, entry.epoch, at, to);
      const last = frames.at(-1)?.header;
      if (last === undefined || last.first + last.count <= at) return;
      for (const frame of frames) add(await store(entry, frame));
      at = last.first + last.count;
    }
  }

  async function run(agent: string, epoch: string, from: number, to: number): Promise<FillOutcome> {
    const entry = await entryOf(agent, epoch);
    const wanted = (one: EpochLedger) =>
      one.gaps.filter((gap) => gap.to >= from && gap.from <= to && gap.filled < gap.to - gap.from + 1);
    let filled = 0;
    let reason: string | null = null;
    try {
      if (entry.host === '' && wanted(entry).length > 0)
        throw new WrongLines('Lines of the manager itself and of the crawler cannot be asked for again.');
      for (const gap of wanted(entry))
        await fillGap(entry, Math.max(from, gap.from), Math.min(to, gap.to), (count) => {
          filled += count;
        });
    } catch (error) {
      if (error instanceof WrongLines) reason = error.message;
      else if (isWebvirtError(error) && error.code !== 'store-unavailable') reason = error.publicMessage;
      else throw error;
    }
    const missing = wanted(await entryOf(agent, epoch));
    const stillMissing = missing.reduce(
      (sum, gap) => sum + Math.min(missingOf(gap), Math.min(to, gap.to) - Math.max(from, gap.from) + 1),
      0,
    );
    if (stillMissing === 0) return { filled, stillMissing, reason: null };
    reason ??= filled > 0 ? 'The agent has no more of them.' : 'The agent does not have them any more.';
    return { filled, stillMissing, reason };
  }

  return {
    async fill(agent, epoch, { from = 0, to = Number.MAX_SAFE_INTEGER }) {
      const before = busy.get(agent);
      const work = (async () => {
        await before?.catch(() => undefined);
        return run(agent, epoch, from, to);
      })();
      busy.set(agent, work);
      try {
        return await work;
      } finally {
        if (busy.get(agent) === work) busy.delete(agent);
      }
    },
  };
}

function missingOf(gap: { from: number; to: number; filled: number }): number {
  return gap.to - gap.from + 1 - gap.filled;
}
