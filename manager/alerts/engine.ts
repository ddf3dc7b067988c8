import { BatchRow } from '../../common/pure/query/row.ts';
import type { Bus } from '../bus/bus.ts';
import type { RuleStore, StoredRule } from '../store/ports.ts';
import type { EngineConfig, EngineStats } from './engine-config.ts';
import { isOwnLine } from './group.ts';
import { createLineQueue } from './line-queue.ts';
import { rowOfLine } from './line-row.ts';
import { createNap } from './nap.ts';
import type { AlertLines, AlertLog, ColumnReader, CommittedBatch, KnownGroups } from './ports.ts';
import { createRuleTable, type RuleTable } from './rule-table.ts';
import type { Clocks, RuleWatch } from './rule-watch.ts';
import { createSlices } from './slices.ts';
import { createUpClock, type UpClock } from './up-clock.ts';
import type { Happening } from './window.ts';
import { createWriter, type Told } from './write-events.ts';

export interface EngineDeps {
  rules: RuleStore;
  lines: AlertLines;
  reader: ColumnReader;
  bus: Bus;
  log: AlertLog;
  known: KnownGroups;
  /** Grows with each commit of lines that failed: while nothing can be stored nobody is silent. */
  troubles(): number;
  /** Called behind the transaction that wrote these. */
  onWritten(told: Told[]): void;
  deliveriesOf: Parameters<typeof createWriter>[0]['deliveriesOf'];
  nowMs: () => number;
  monotonicMs: () => number;
}

export interface Engine {
  readonly table: RuleTable;
  start(): void;
  stop(): Promise<void>;
  /** Takes a rule, new or changed; what it counted is kept where that still means the same. */
  put(rule: StoredRule): void;
  remove(id: string): void;
  /** Tells something of a rule that no line and no clock has brought about, and keeps it. Throws what SQLite says. */
  tell(id: string, what: (watch: RuleWatch, clocks: Clocks) => Happening[]): void;
  clocks(): Clocks;
  /** Resolves when all that came so far was looked at. */
  idle(): Promise<void>;
  stats(): EngineStats;
}

const PAGE_LINES = 1_000;
const CHECK_EVERY_ROWS = 31;

/** Looks at every committed line, behind the live road and never in its way. */
export function createEngine(config: EngineConfig, deps: EngineDeps): Engine {
  const { lines, reader, log } = deps;
  const queue = createLineQueue(config.queueLines);
  const table = createRuleTable(deps.rules, log);
  const clock: UpClock = createUpClock({ startMs: deps.rules.upMs(), graceMs: config.graceMs }, deps);
  const writer = createWriter({ ...deps, table, upMs: clock.upMs });
  const behind = new Set<RuleWatch>();
  const idlers: (() => void)[] = [];
  let stopped = false;
  const nap = createNap();
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isTickDue = false;
  /** The number of the first line that came while this runs. */
  let firstHeard: number | null = null;
  let evaluated = 0;
  let isFailing = false;

  const clocks = (): Clocks => ({ nowMs: deps.nowMs(), upMs: clock.upMs() });

  async function look(batch: CommittedBatch): Promise<void> {
    const columns = reader.columnsOf(batch);
    const row = new BatchRow(batch, columns);
    const last = batch.ordinal + columns.n - 1;
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
          if (batch.ordinal + i <= watch.position || !table.has(watch)) continue;
          writer.add(watch, watch.see(row, sortMs, sighting, clocks()));
          watch.position = batch.ordinal + i;
        }
      }
    }
    for (const watch of table.all()) if (last > watch.position && !behind.has(watch)) watch.position = last;
  }

  /** Reads what a rule has not seen from the store, in the order of arrival. Rejects when the store cannot be read. */
  async function catchUp(watch: RuleWatch): Promise<void> {
    const slices = createSlices(deps.monotonicMs);
    const filter = { ...watch.rule.query };
    if (watch.position < 0) {
      await lines.since({}, Number.MAX_SAFE_INTEGER / 8, 1);
      // Nothing was stored when it was made, so whatever came since is its to see.
      watch.position = firstHeard === null ? lines.newestOrdinal() : firstHeard - 1;
    }
    for (;;) {
      const found = await lines.since(filter, watch.position, PAGE_LINES);
      if (stopped || !table.has(watch)) return;
      evaluated += found.lines.length;
      // In one go: what is written meanwhile must be what belongs to the position.
      for (const line of found.lines) {
        const row = rowOfLine(line);
        if (isOwnLine(row)) continue;
        const sighting = { id: line.id, message: () => line.message };
        writer.add(watch, watch.see(row, line.sortMs ?? line.tsMs, sighting, clocks()));
      }
      // Another store, or one that was restored: its numbers begin below ours.
      watch.position = Math.min(found.lastOrdinal, Math.max(lines.newestOrdinal(), 0));
      writer.save();
      if (found.lines.length < PAGE_LINES) return;
      await slices.rest();
    }
  }

  async function catchUpAll(): Promise<void> {
    if (queue.isBehind) {
      // Before the store is read: what is let go from now on makes them late again.
      queue.caughtUp();
      for (const watch of table.all()) behind.add(watch);
      log.warn('rules go on from the store', { alert: 'behind', skipped: queue.skipped });
    }
    for (const watch of behind) {
      if (table.has(watch)) await catchUp(watch);
      behind.delete(watch);
    }
  }

  function tick(): void {
    isTickDue = false;
    clock.tick();
    for (const watch of table.all()) {
      if (watch.rule.condition.kind === 'silence' && !clock.isRunning()) continue;
      writer.add(watch, watch.tick(clocks(), deps.known));
    }
  }

  const hasWork = () => behind.size > 0 || queue.isBehind || queue.lines > 0 || isTickDue;

  async function step(): Promise<void> {
    if (behind.size > 0 || queue.isBehind) await catchUpAll();
    const batch = queue.take();
    if (batch !== undefined) await look(batch);
    else if (isTickDue) tick();
    if (writer.isUrgent()) writer.save();
  }

  async function run(): Promise<void> {
    while (!stopped) {
      try {
        await step();
        isFailing = false;
        if (hasWork()) continue;
        for (const done of idlers.splice(0)) done();
        writer.saveAfter(config.saveMs);
        await nap.rest(config.tickMs);
      } catch (error) {
        // Once: it is tried every second, and the store may be away for long.
        if (!isFailing) log.warn('rules cannot go on now and try again', { alert: 'waiting', error: String(error) });
        isFailing = true;
        // What was counted and not kept is counted again from where it was kept.
        writer.drop();
        behind.clear();
        queue.clear();
        for (const watch of table.reload()) behind.add(watch);
        await nap.rest(config.retryMs);
      }
    }
  }

  const stopListening = deps.bus.on('lines', ({ batches }) => {
    clock.heard();
    firstHeard ??= batches[0]?.ordinal ?? null;
    if (stopped || table.size() === 0) return;
    queue.push(batches);
    nap.end();
  });

  return {
    table,
    clocks,
    start() {
      for (const watch of table.reload()) behind.add(watch);
      clock.start();
      timer = setInterval(() => {
        isTickDue = true;
        nap.end();
      }, config.tickMs);
      running = run();
    },
    async stop() {
      stopped = true;
      stopListening();
      clearInterval(timer);
      nap.end();
      await running;
      try {
        writer.save();
      } catch (error) {
        log.warn('what rules counted could not be kept', { alert: 'waiting', error: String(error) });
      }
      for (const done of idlers.splice(0)) done();
    },
    put(rule) {
      writer.save();
      // Zero: nothing is stored, or the store is not open yet.
      const watch = table.put(rule, lines.newestOrdinal() || -1);
      if (watch !== null) behind.add(watch);
      nap.end();
    },
    tell(id, what) {
      const watch = table.get(id);
      if (watch === null) return;
      writer.add(watch, what(watch, clocks()));
      writer.save();
    },
    remove(id) {
      table.remove(id);
      writer.forget(id);
    },
    idle() {
      return new Promise((resolve) => {
        idlers.push(resolve);
        nap.end();
      });
    },
    stats: () => ({
      ...{ rules: table.size(), channels: table.channels().length },
      ...{ queuedLines: queue.lines, skipped: queue.skipped, evaluated, behind: behind.size },
    }),
  };
}
