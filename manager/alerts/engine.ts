import type { Bus } from '../bus/bus.ts';
import type { RuleStore, StoredRule } from '../store/ports.ts';
import type { EngineConfig, EngineStats } from './engine-config.ts';
import { createLineQueue } from './line-queue.ts';
import { createLooks } from './looks.ts';
import { createNap } from './nap.ts';
import type { AlertLines, AlertLog, ColumnReader, CommittedBatch, KnownGroups } from './ports.ts';
import { createRuleTable, type RuleTable } from './rule-table.ts';
import type { Clocks, RuleWatch } from './rule-watch.ts';
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
  /** False: another manager looks after the rules. True: from now on this one does, from where that one came to. */
  lead(is: boolean): void;
  /** Keeps what was counted, and then leads no more: another goes on. */
  handOver(): void;
  /** What the other manager counted is in the store now: it is shown. */
  follow(): void;
  clocks(): Clocks;
  /** Resolves when all that came so far was looked at. */
  idle(): Promise<void>;
  stats(): EngineStats;
}

/** Looks at every committed line, behind the live road and never in its way. */
export function createEngine(config: EngineConfig, deps: EngineDeps): Engine {
  const { lines, log } = deps;
  const queue = createLineQueue(config.queueLines);
  const table = createRuleTable(deps.rules, log);
  const newClock = (): UpClock => createUpClock({ startMs: deps.rules.upMs(), graceMs: config.graceMs }, deps);
  let clock = newClock();
  const writer = createWriter({ ...deps, table, upMs: () => clock.upMs() });
  const behind = new Set<RuleWatch>();
  const idlers: (() => void)[] = [];
  let stopped = false;
  /** False while another manager looks after the rules: this one shows what it is told. */
  let leads = true;
  /** What other managers committed. */
  const ofPeers = new WeakSet<CommittedBatch>();
  const nap = createNap();
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isTickDue = false;
  /** The number of the first line that came while this runs. */
  let firstHeard: number | null = null;
  let isFailing = false;

  const clocks = (): Clocks => ({ nowMs: deps.nowMs(), upMs: clock.upMs() });

  const { look, catchUp, evaluated } = createLooks({
    ...{ ...deps, table, writer, clocks, behind },
    isOfPeers: (batch) => ofPeers.has(batch),
    isStopped: () => stopped,
    firstHeard: () => firstHeard,
  });

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

  function reset(): void {
    writer.drop();
    behind.clear();
    queue.clear();
    for (const watch of table.reload()) if (leads) behind.add(watch);
  }

  async function step(): Promise<void> {
    if (!leads) {
      isTickDue = false;
      return;
    }
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
        if (leads) writer.saveAfter(config.saveMs);
        await nap.rest(config.tickMs);
      } catch (error) {
        // Once: it is tried every second, and the store may be away for long.
        if (!isFailing) log.warn('rules cannot go on now and try again', { alert: 'waiting', error: String(error) });
        isFailing = true;
        // What was counted and not kept is counted again from where it was kept.
        reset();
        await nap.rest(config.retryMs);
      }
    }
  }

  function hear(batches: readonly CommittedBatch[]): void {
    clock.heard();
    if (stopped || !leads || table.size() === 0) return;
    queue.push(batches);
    nap.end();
  }

  const listening = [
    deps.bus.on('lines', ({ batches }) => {
      firstHeard ??= batches[0]?.ordinal ?? null;
      hear(batches);
    }),
    deps.bus.on('peer-lines', ({ batches }) => {
      for (const batch of batches) ofPeers.add(batch);
      hear(batches);
    }),
    // Where we share a store it has what did not come.
    deps.bus.on('peer-break', () => {
      if (!leads || lines.shared === undefined) return;
      for (const watch of table.all()) behind.add(watch);
      nap.end();
    }),
  ];

  return {
    table,
    clocks,
    start() {
      for (const watch of table.reload()) if (leads) behind.add(watch);
      clock.start();
      timer = setInterval(() => {
        isTickDue = true;
        nap.end();
      }, config.tickMs);
      running = run();
    },
    async stop() {
      stopped = true;
      for (const stop of listening) stop();
      clearInterval(timer);
      nap.end();
      await running;
      try {
        if (leads) writer.save();
      } catch (error) {
        log.warn('what rules counted could not be kept', { alert: 'waiting', error: String(error) });
      }
      for (const done of idlers.splice(0)) done();
    },
    put(rule) {
      if (leads) writer.save();
      // Zero: nothing is stored, or the store is not open yet.
      const watch = table.put(rule, lines.newestOrdinal() || -1);
      if (watch !== null && leads) behind.add(watch);
      nap.end();
    },
    tell(id, what) {
      const watch = table.get(id);
      if (watch === null || !leads) return;
      writer.add(watch, what(watch, clocks()));
      writer.save();
    },
    handOver() {
      if (leads) writer.save();
      leads = false;
      reset();
    },
    lead(is) {
      if (is === leads) return;
      leads = is;
      reset();
      if (is) {
        clock = newClock();
        clock.start();
      }
      nap.end();
    },
    follow() {
      if (leads) return;
      table.reload();
      clock = newClock();
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
      ...{ queuedLines: queue.lines, skipped: queue.skipped, evaluated: evaluated(), behind: behind.size },
    }),
  };
}
