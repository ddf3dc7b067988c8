import { randomBytes } from 'node:crypto';
import { WebvirtError } from '../../../common/errors.ts';
import type { StoredGap } from '../../../common/model/ledger.ts';
import type { CommittedBatch, EpochLedger, LineBatch } from '../ports.ts';
import { pickRows } from './block.ts';
import type { Cursors } from './cursors.ts';
import type { Row, Session } from './session.ts';
import type { AppendMark } from './voids.ts';
import type { Writer } from './writer.ts';

/** Gaps that are told of one epoch, newest first. */
const LIMIT_GAPS = 100;
const COLUMNS = `agent, epoch, from_seq, to_seq, reason, bytes, first_ts_ms, last_ts_ms, received_ms, filled, parts, fills, fence`;

/** Numbers `from..next-1`. */
interface Span {
  from: number;
  next: number;
}

const wordOf = ({ writer, append }: AppendMark) => `${writer}:${append}`;

function partsOf(row: Row): Span[] {
  return row['parts'] === null ? [] : (JSON.parse(row['parts'] as string) as Span[]);
}

function gapsOf(session: Session, agent: string, epoch: string): Promise<Row[]> {
  return session.decide(`SELECT ${COLUMNS} FROM gaps WHERE agent = ? AND epoch = ?`, [agent, epoch]);
}

/**
 * Ends what is not known, as `Cursors.stop` does: true when this append has filled one of the epoch's gaps; false when it
 * has not, and never will.
 */
export async function stopFilling(
  session: Session,
  manager: string,
  { agent, epoch }: { agent: string; epoch: string },
  mark: AppendMark,
): Promise<boolean> {
  const rows = await gapsOf(session, agent, epoch);
  if (rows.some((row) => (row['fills'] as Record<string, string> | null)?.[manager] === wordOf(mark))) return true;
  for (const row of rows) {
    const [answer] = await session.decide(
      'UPDATE gaps SET fence = ? WHERE agent = ? AND epoch = ? AND from_seq = ? IF parts = ? AND fence = ?',
      [randomBytes(8).toString('hex'), agent, epoch, row['from_seq'], row['parts'], row['fence']],
    );
    if (answer?.['[applied]'] !== true) return stopFilling(session, manager, { agent, epoch }, mark);
  }
  return false;
}

/**
 * Stores what gaps cover of a batch and were not given before. What a gap was filled with is changed by a comparison, as a
 * cursor is: of two that fill the same numbers one does.
 */
export async function fillGaps(session: Session, writer: Writer, batch: LineBatch): Promise<CommittedBatch[]> {
  const { agent, epoch, columns, hash } = batch;
  if (columns === null) throw new TypeError('a gap is not filled with a gap');
  const end = batch.first + batch.count;
  const done: CommittedBatch[] = [];
  // Cursors and gaps are read as they are: a gap that the cursor has not passed is not there.
  const passed = (await writer.cursors.of(agent)).get(epoch)?.next ?? 0;
  for (const row of await gapsOf(session, agent, epoch)) {
    const gap = { from: Number(row['from_seq']), next: Number(row['to_seq']) + 1 };
    if (gap.next > passed) continue;
    const filled = partsOf(row);
    const asked = { from: Math.max(gap.from, batch.first), next: Math.min(gap.next, end) };
    const spans = without(asked, filled);
    if (spans.length === 0) continue;
    const parts = spans.map(({ from, next }) => ({
      ...{ ...batch, first: from, count: next - from, hash: next === end ? hash : '' },
      columns: pickRows(
        columns,
        Array.from({ length: next - from }, (_, i) => from - batch.first + i),
      ),
    }));
    const all = joined([...filled, ...spans]);
    const sum = all.reduce((count, span) => count + span.next - span.from, 0);
    const committed = await writer.commit(parts, {
      async decide(mark) {
        const [answer] = await session.decide(
          'UPDATE gaps SET parts = ?, filled = ?, fills[?] = ? WHERE agent = ? AND epoch = ? AND from_seq = ? IF parts = ? AND fence = ?',
          [JSON.stringify(all), sum, writer.manager, wordOf(mark), agent, epoch, gap.from, row['parts'], row['fence']],
        );
        if (answer?.['[applied]'] === true) return;
        throw new WebvirtError('store-unavailable', 'Another manager fills this gap', { agent, epoch, from: gap.from });
      },
      async undecided(mark) {
        return (await stopFilling(session, writer.manager, batch, mark)) ? [] : [{ agent, epoch }];
      },
    });
    done.push(...committed);
  }
  return done;
}

/** What is left of a span without others, which are in order. */
function without(span: Span, others: readonly Span[]): Span[] {
  const left: Span[] = [];
  let { from } = span;
  for (const other of others) {
    if (other.next <= from || other.from >= span.next) continue;
    if (other.from > from) left.push({ from, next: other.from });
    from = Math.max(from, other.next);
  }
  if (from < span.next) left.push({ from, next: span.next });
  return left;
}

function joined(spans: Span[]): Span[] {
  const out: Span[] = [];
  for (const { from, next } of spans.sort((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (last !== undefined && last.next === from) last.next = next;
    else out.push({ from, next });
  }
  return out;
}

/** What became of every number, the epoch that was heard last first. */
export async function readLedger(session: Session, cursors: Cursors, agent?: string): Promise<EpochLedger[]> {
  const entries = (await cursors.all(agent)).sort((a, b) => b.lastMs - a.lastMs);
  const ledger: EpochLedger[] = [];
  for (const { agent: of, epoch, host, hostName, next, lines, lost, firstMs, lastMs } of entries) {
    // Most epochs have none.
    const rows = lost === 0 ? [] : await gapsOf(session, of, epoch);
    const gaps = rows.map(gapOf).filter((gap) => gap.to < next);
    const filled = gaps.reduce((sum, gap) => sum + gap.filled, 0);
    ledger.push({
      ...{ agent: of, host, hostName, epoch, next, lines: lines + filled, lost: lost - filled, firstMs, lastMs },
      gaps: gaps.sort((a, b) => b.receivedMs - a.receivedMs || b.from - a.from).slice(0, LIMIT_GAPS),
      gapCount: gaps.length,
    });
  }
  return ledger;
}

function gapOf(row: Row): StoredGap {
  const time = (name: string) => (row[name] === null ? undefined : Number(row[name]));
  const [firstTsMs, lastTsMs] = [time('first_ts_ms'), time('last_ts_ms')];
  return {
    from: Number(row['from_seq']),
    to: Number(row['to_seq']),
    reason: String(row['reason']),
    bytes: Number(row['bytes']),
    ...(firstTsMs === undefined ? {} : { firstTsMs }),
    ...(lastTsMs === undefined ? {} : { lastTsMs }),
    receivedMs: Number(row['received_ms']),
    filled: Number(row['filled']),
  };
}
