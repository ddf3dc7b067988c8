import { BatchRow } from '../../common/pure/query/row.ts';
import { isOwnLine } from './group.ts';
import { rowOfLine } from './line-row.ts';
import type { AlertLines, ColumnReader, CommittedBatch } from './ports.ts';
import { hasSeen, reachTo } from './reach.ts';
import type { RuleTable } from './rule-table.ts';
import type { Clocks, RuleWatch } from './rule-watch.ts';
import { createSlices } from './slices.ts';
import type { Writer } from './write-events.ts';

export interface LooksDeps {
  lines: AlertLines;
  reader: ColumnReader;
  table: RuleTable;
  writer: Writer;
  /** Rules that read from the store what they have not seen. */
  behind: ReadonlySet<RuleWatch>;
  clocks(): Clocks;
  monotonicMs: () => number;
  isOfPeers(batch: CommittedBatch): boolean;
  isStopped(): boolean;
  /** The number of the first line that came while this runs; null: none did. */
  firstHeard(): number | null;
}

const PAGE_LINES = 1_000;
const CHECK_EVERY_ROWS = 31;

/** How rules see lines: those that come, and those that are stored. */
export function createLooks(deps: LooksDeps) {
  const { lines, reader, table, writer, behind, clocks } = deps;
  let evaluated = 0;

  async function look(batch: CommittedBatch): Promise<void> {
    const columns = reader.columnsOf(batch);
    const row = new BatchRow(batch, columns);
    const last = batch.ordinal + columns.n - 1;
    const { shared } = lines;
    // Numbers of another store say nothing here: such lines come by the bus alone, and once.
    const isCounted = shared !== undefined || !deps.isOfPeers(batch);
    const slices = createSlices(deps.monotonicMs);
    for (const { channel, watches } of table.channels()) {
      if (!channel.passesHost(batch)) continue;
      evaluated += columns.n;
      for (let i = 0; i < columns.n; i++) {
        if ((i & CHECK_EVERY_ROWS) === 0) await slices.rest();
        row.i = i;
        if (!channel.matches(row) || isOwnLine(row)) continue;
        const sighting = {
          id: `${batch.agent}.${batch.epoch}.${batch.first + i}`,
          message: () => columns.message[i] ?? '',
        };
        const sortMs = reader.sortMsOf(columns.tsMs[i] ?? batch.receivedMs, batch);
        for (const watch of watches) {
          // A rule that was changed meanwhile goes on in another watch, which reads the rest from the store.
          if ((isCounted && hasSeen(watch, batch.ordinal + i, shared)) || !table.has(watch)) continue;
          writer.add(watch, watch.see(row, sortMs, sighting, clocks()));
          if (isCounted) reachTo(watch, batch.ordinal + i, shared);
        }
      }
    }
    if (!isCounted) return;
    for (const watch of table.all())
      if (!behind.has(watch) && !hasSeen(watch, last, shared)) reachTo(watch, last, shared);
  }

  /** Reads what a rule has not seen from the store, in the order of arrival. Rejects when the store cannot be read. */
  async function catchUp(watch: RuleWatch): Promise<void> {
    const slices = createSlices(deps.monotonicMs);
    const filter = { ...watch.rule.query };
    if (watch.position < 0) {
      await lines.since({}, Number.MAX_SAFE_INTEGER / 8, 1);
      // Nothing was stored when it was made, so whatever came since is its to see.
      const firstHeard = deps.firstHeard();
      watch.position = firstHeard === null ? lines.newestOrdinal() : firstHeard - 1;
      watch.floor = watch.position;
    }
    for (;;) {
      const { shared } = lines;
      const found =
        shared === undefined
          ? await lines.since(filter, watch.position, PAGE_LINES)
          : await shared.since(filter, watch.reached, PAGE_LINES, undefined, watch.floor);
      if (deps.isStopped() || !table.has(watch)) return;
      evaluated += found.lines.length;
      // In one go: what is written meanwhile must be what belongs to the position.
      for (const line of found.lines) {
        const row = rowOfLine(line);
        if (isOwnLine(row)) continue;
        const sighting = { id: line.id, message: () => line.message };
        writer.add(watch, watch.see(row, line.sortMs ?? line.tsMs, sighting, clocks()));
      }
      // Another store, or one that was restored: its numbers begin below ours.
      if ('lastOrdinal' in found) watch.position = Math.min(found.lastOrdinal, Math.max(lines.newestOrdinal(), 0));
      else for (const ordinal of found.positions) reachTo(watch, ordinal, shared);
      writer.save();
      if (found.lines.length < PAGE_LINES) return;
      await slices.rest();
    }
  }

  return { look, catchUp, evaluated: () => evaluated };
}
