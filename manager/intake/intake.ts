import { randomBytes } from 'node:crypto';
import { EMPTY_HASH, type EpochCursor, type EpochRange, type FrameHeader } from '../../common/wire/link.ts';
import type { LineSink } from '../../logging/line-sink.ts';
import type { Bus } from '../bus/bus.ts';
import type { LineBatch, LineStore, SettingStore } from '../store/ports.ts';
import { createAlarms } from './alarms.ts';
import { Announced, vanishedParts } from './announced.ts';
import { type CommitterConfig, createCommitter } from './committer.ts';
import { createReplays, tickLedger } from './ledger-facts.ts';
import { createOwnLines } from './own-lines.ts';
import { planFrames } from './plan-frames.ts';
import type { IncomingFrame, IntakeAnswer, IntakeCounters, IntakeFailpoint, IntakeLog, Sender } from './ports.ts';
import { announce, createRoad, type Road } from './road.ts';

export interface IntakeConfig extends CommitterConfig {
  /** After this long a sender that was refused sends again. */
  retryMs: number;
  /** The same alarm of the same agent is written at most once in this time. */
  alarmEveryMs: number;
}

export const INTAKE_DEFAULTS: IntakeConfig = {
  limitCommitLines: 32_768,
  limitQueuedBytes: 64 * 1024 ** 2,
  retryMs: 1_000,
  alarmEveryMs: 60_000,
};

export interface IntakeDeps {
  lines: LineStore;
  settings: SettingStore;
  bus: Bus;
  log: IntakeLog;
  nowMs?: () => number;
  /** An agent's clock minus ours; absent: all are taken to be right. */
  clockOffsetMs?: (agent: string) => number;
  failpoint?: IntakeFailpoint;
}

export interface HelloAnswer {
  cursors: EpochCursor[];
  /** Not null: the agent must begin a new epoch, because of this. */
  newEpoch: string | null;
}

export interface Intake {
  /** Stores frames. Resolves after the commit with what the sender is to be told; it never rejects. */
  acceptFrames(sender: Sender, frames: readonly IncomingFrame[]): Promise<IntakeAnswer[]>;
  /** An agent (or the crawler) came and says what it holds: answers where it must go on. Rejects when the store does. */
  hello(sender: Sender, epochs: readonly EpochRange[]): Promise<HelloAnswer>;
  /** The sender is gone; what it announced is remembered. */
  closed(sender: Sender): void;
  /** Where the manager's own logger writes. */
  lineSink: LineSink;
  counters: Readonly<IntakeCounters>;
  /** Epochs that an agent holds, the current one last. */
  heldEpochs(agent: string): string[];
  /** Frames of an epoch that came again since the start, and were not stored again. */
  duplicates(agent: string, epoch: string): number;
  start(): void;
  /** Stores what was taken, the manager's own last lines included. */
  stop(): Promise<void>;
}

/** How many replayed frames of one message are compared with what is stored. */
const LIMIT_COMPARED_REPLAYS = 16;

/** The way of lines into the store: check, cut, number, commit, ack; and only then the live road. */
export function createIntake(config: IntakeConfig, deps: IntakeDeps): Intake {
  const { lines, bus, log } = deps;
  const nowMs = deps.nowMs ?? Date.now;
  const failpoint = deps.failpoint ?? (() => {});
  const alarm = createAlarms(log, config.alarmEveryMs, nowMs);
  const announced = new Announced(deps.settings);
  const counters = emptyCounters();
  const replays = createReplays();
  let roads = new Map<string, Promise<Road>>();
  let failing = false;
  let ledgerTicks: { stop(): void } | null = null;

  const committer = createCommitter(config, {
    ...{ lines, bus, counters, failpoint },
    onFailed(error) {
      roads = new Map();
      if (!failing) log.error('Lines cannot be stored now', { error: String(error) });
      failing = true;
    },
  });
  const epoch = randomBytes(8).toString('hex');
  const storedNext = async () => (await lines.cursors('manager')).find((own) => own.epoch === epoch)?.next ?? 0;
  const ownLines = createOwnLines(
    { agent: 'manager', epoch },
    { committer, nowMs, retryMs: config.retryMs, storedNext },
  );

  /** The road as it is now: a failed commit may have replaced it while we waited. */
  async function roadOf(agent: string): Promise<Road> {
    for (;;) {
      let road = roads.get(agent);
      if (road === undefined) {
        road = lines.cursors(agent).then(createRoad);
        roads.set(agent, road);
        // What could not be read is asked again: a store that was not open yet would stay closed for this sender.
        road.catch(() => roads.get(agent) === road && roads.delete(agent));
      }
      const found = await road;
      if (roads.get(agent) === road) return found;
    }
  }

  async function commit(sender: Sender, batches: LineBatch[], bytes: number): Promise<void> {
    await committer.commit(sender.agent, batches, bytes);
    if (failing && batches.length > 0) {
      failing = false;
      log.info('Lines are stored again', {});
    }
  }

  function nackAll(frames: readonly IncomingFrame[], reason: string): IntakeAnswer[] {
    const epochs = new Set(frames.map((frame) => frame.header.epoch));
    counters.nacks += epochs.size;
    return [...epochs].map((one) => ({ t: 'nack', epoch: one, reason, retryMs: config.retryMs }));
  }

  async function compareReplays(sender: Sender, replays: readonly FrameHeader[]): Promise<void> {
    for (const header of replays.slice(0, LIMIT_COMPARED_REPLAYS)) {
      const stored = await lines.hashAt(sender.agent, header.epoch, header.first + header.count);
      if (stored === null || stored === header.hash) continue;
      const place = { epoch: header.epoch, first: header.first, count: header.count };
      alarm('An agent sent other lines under numbers that are stored', {
        ...{ agent: sender.agent, ...place, stored, sent: header.hash },
      });
    }
  }

  /** Rejects when the store fails. */
  async function accept(sender: Sender, frames: readonly IncomingFrame[]): Promise<IntakeAnswer[]> {
    const road = await roadOf(sender.agent);
    const bytes = frames.reduce((sum, frame) => sum + frame.body.byteLength, 0);
    if (!committer.hasRoom(sender.agent, bytes)) {
      for (const { header } of frames) road.sentBackUntilMs.set(header.epoch, nowMs() + config.retryMs);
      return nackAll(frames, 'the store is behind');
    }
    for (const { header } of frames) announced.raise(sender.agent, header.epoch, header.first + header.count);
    const retryMs = config.retryMs;
    const clockOffsetMs = deps.clockOffsetMs?.(sender.agent) ?? 0;
    const plan = planFrames(frames, { sender, road, nowMs: nowMs(), retryMs, clockOffsetMs, counters, alarm });
    // The lines behind its cursor get other numbers: they are not lost when the old epoch is gone.
    if (plan.forked) announced.replace(sender.agent, []);
    const ends = [...plan.touched].map((one) => road.ends.get(one)!);
    // A new epoch is asked for behind the acks of all before it: what is acked is not sent again under new numbers.
    if (ends.length > 0 || plan.forked) await commit(sender, plan.batches, bytes);
    for (const header of plan.replays) replays.count(sender.agent, header.epoch);
    if (plan.replays.length > 0) await compareReplays(sender, plan.replays);
    return [...ends.map((end) => ({ t: 'ack' as const, ...end })), ...plan.answers];
  }

  async function declareVanished(sender: Sender, cursors: EpochCursor[], epochs: readonly EpochRange[]): Promise<void> {
    const parts = vanishedParts(announced.of(sender.agent), cursors, epochs);
    if (parts.length === 0) return;
    const reason = 'the agent came back without them (new disk or installed again)';
    const batches = parts.map(({ epoch: one, first, next, hash }) => ({
      ...{ agent: sender.agent, host: sender.hostId, hostName: sender.hostName, epoch: one },
      ...{ first, count: next - first, hash: hash ?? EMPTY_HASH, receivedMs: nowMs(), columns: null },
      gap: { from: first, to: next - 1, reason, bytes: 0 },
    }));
    counters.gaps += batches.length;
    alarm('An agent came back without lines that it had announced', { agent: sender.agent, epochs: parts.length });
    await commit(sender, batches, 0);
    roads.delete(sender.agent);
  }

  return {
    counters,
    heldEpochs: (agent) => announced.epochs(agent),
    duplicates: replays.of,
    lineSink: ownLines,
    async acceptFrames(sender, frames) {
      try {
        return await accept(sender, frames);
      } catch {
        return nackAll(frames, 'store-unavailable');
      }
    },
    async hello(sender, epochs) {
      // What an earlier connection sent may still wait: it is committed, or given back, before we say where to go on.
      await committer.commit(sender.agent, [], 0).catch(() => undefined);
      await declareVanished(sender, await lines.cursors(sender.agent), epochs);
      announce(await roadOf(sender.agent), epochs);
      announced.replace(sender.agent, epochs);
      const ranges = new Map(epochs.map((range) => [range.epoch, range]));
      const cursors = (await lines.cursors(sender.agent)).filter((cursor) => ranges.has(cursor.epoch));
      const back = cursors.find((cursor) => cursor.next > ranges.get(cursor.epoch)!.next);
      if (back === undefined) return { cursors, newEpoch: null };
      announced.replace(sender.agent, []);
      const place = { epoch: back.epoch, stored: back.next, announced: ranges.get(back.epoch)!.next };
      alarm('The numbers of an agent went back; it must begin a new epoch', { agent: sender.agent, ...place });
      return { cursors, newEpoch: 'numbers went back: the spool was restored from an older copy' };
    },
    closed(sender) {
      try {
        announced.save(sender.agent);
      } catch (error) {
        log.warn('What an agent announced could not be kept', { agent: sender.agent, error: String(error) });
      }
    },
    start() {
      ledgerTicks = tickLedger(bus);
    },
    async stop() {
      ledgerTicks?.stop();
      failpoint('M10');
      await ownLines.stop();
      await committer.idle();
    },
  };
}

function emptyCounters(): IntakeCounters {
  const none = { lines: 0, batches: 0, commits: 0, replays: 0, refused: 0 };
  return { ...none, quarantined: 0, gaps: 0, nacks: 0, storeErrors: 0 };
}
