import type { Gap } from '../../common/model/line.ts';
import { columnsBetween } from '../../common/wire/frames.ts';
import { EMPTY_HASH, type EpochCursor, type FrameHeader } from '../../common/wire/link.ts';
import type { LineBatch } from '../store/ports.ts';
import type { Alarm } from './alarms.ts';
import { runningHash } from './chain.ts';
import type { IncomingFrame, IntakeAnswer, IntakeCounters, Sender } from './ports.ts';
import { ownSources, readColumns } from './read-columns.ts';
import { type Road, troubleAt } from './road.ts';

/** A frame that is refused this often is declared as a gap: one broken frame must not hold up all that follow it. */
const TIMES_BEFORE_GIVING_UP = 3;

export interface Plan {
  batches: LineBatch[];
  /** Refusals, to be sent at once. */
  answers: IntakeAnswer[];
  /** Frames whose numbers are all stored: their hash is compared with the stored one. */
  replays: FrameHeader[];
  /** True when the agent was told to begin a new epoch: it carries over what it still has of the old one. */
  forked: boolean;
  /** Epochs that must be acked once everything queued so far is committed. */
  touched: Set<string>;
}

export interface PlanContext {
  sender: Sender;
  road: Road;
  nowMs: number;
  retryMs: number;
  /** The sender's clock minus ours. */
  clockOffsetMs: number;
  counters: IntakeCounters;
  alarm: Alarm;
}

/** Decides what becomes of each frame, in order, and moves the ends of the road. */
export function planFrames(frames: readonly IncomingFrame[], context: PlanContext): Plan {
  const plan: Plan = { batches: [], answers: [], replays: [], forked: false, touched: new Set() };
  const stopped = new Set<string>();
  for (const frame of frames) {
    const { epoch } = frame.header;
    if (stopped.has(epoch)) continue;
    if (!planFrame(frame, plan, context)) stopped.add(epoch);
  }
  return plan;
}

/** False when the frames that follow in this epoch must wait. */
function planFrame(frame: IncomingFrame, plan: Plan, context: PlanContext): boolean {
  const { header } = frame;
  const { road } = context;
  const end = road.ends.get(header.epoch) ?? { epoch: header.epoch, next: 0, hash: EMPTY_HASH };
  const behind = header.first + header.count;
  if (!Number.isSafeInteger(behind)) return refuse(frame, end, 'numbers beyond what can be counted', plan, context);
  if (behind <= end.next) {
    context.counters.replays += 1;
    plan.replays.push(header);
    plan.touched.add(header.epoch);
    return true;
  }
  if (header.first > end.next) return hole(frame, end, plan, context);
  if (header.first === end.next && header.prev !== end.hash) return fork(frame, end, plan, context);
  return take(frame, end, plan, context);
}

/** Checks a frame that goes on at the end (or over it) and adds its lines. */
function take(frame: IncomingFrame, end: EpochCursor, plan: Plan, context: PlanContext): boolean {
  const { header, body } = frame;
  const { sender, alarm } = context;
  if (header.first < end.next) {
    alarm('An agent sent a frame that overlaps what is stored', {
      agent: sender.agent,
      ...place(header),
      stored: end.next,
    });
  }
  if (header.gap !== undefined) {
    const { from, to } = header.gap;
    if (from !== header.first || to !== header.first + header.count - 1 || body.byteLength !== 0) {
      return refuse(frame, end, 'the gap and its header differ', plan, context);
    }
    return addGap(header, { ...header.gap, from: end.next }, plan, context);
  }
  if (body.byteLength !== header.bytes) return refuse(frame, end, 'the body is not as long as said', plan, context);
  if (runningHash(header.prev, body) !== header.hash) return refuse(frame, end, 'the hash is wrong', plan, context);
  const read = readColumns(body, header.count);
  if (typeof read === 'string') return refuse(frame, end, read, plan, context);
  const own = ownSources(read, sender.agent);
  const columns = header.first === end.next ? own : columnsBetween(own, end.next - header.first, own.n);
  add(header, { first: end.next, count: columns.n, columns, gap: null }, plan, context);
  return true;
}

/** Sends the agent back to its cursor; after a few times the frame is given up and its numbers are declared. */
function refuse(frame: IncomingFrame, end: EpochCursor, why: string, plan: Plan, context: PlanContext): boolean {
  const { header } = frame;
  const { sender, road, nowMs, counters, alarm } = context;
  const times = troubleAt(road, header.epoch, header.first, nowMs);
  counters.refused += 1;
  alarm('An agent sent a frame that cannot be taken', { agent: sender.agent, ...place(header), reason: why });
  const whole = Number.isSafeInteger(header.first + header.count);
  if (times < TIMES_BEFORE_GIVING_UP || !whole) return sendBack(header.epoch, `refused: ${why}`, plan, context);
  counters.quarantined += 1;
  const gap = { from: end.next, to: header.first + header.count - 1, bytes: header.bytes };
  return addGap(header, { ...gap, reason: `the manager could not take them: ${why}` }, plan, context);
}

/** Numbers are missing before this frame. */
function hole(frame: IncomingFrame, end: EpochCursor, plan: Plan, context: PlanContext): boolean {
  const { header } = frame;
  const { road, nowMs, retryMs, sender, alarm } = context;
  const waitMs = (road.sentBackUntilMs.get(header.epoch) ?? 0) - nowMs;
  // Longer than it can be: the clock was set back meanwhile, and the agent would wait for it without an answer.
  if (waitMs > 0 && waitMs <= retryMs) return false;
  // The agent said at its hello that it has nothing older: another store was acked, or this one was set back.
  const nothingOlder = road.announcedFirst.get(header.epoch) === header.first;
  const times = troubleAt(road, header.epoch, end.next, nowMs);
  if (!nothingOlder && times < TIMES_BEFORE_GIVING_UP)
    return sendBack(header.epoch, 'numbers are missing', plan, context);
  const reason = nothingOlder ? 'the agent no longer had them' : 'the agent never sent them';
  alarm('Numbers of an agent are missing for good', { agent: sender.agent, ...place(header), from: end.next, reason });
  const missing = { ...header, first: end.next, count: header.first - end.next, hash: header.prev };
  addGap(missing, { from: end.next, to: header.first - 1, reason, bytes: 0 }, plan, context);
  return planFrame(frame, plan, context);
}

/** The chain does not go on from what is stored: the agent wrote other lines under numbers that it had used. */
function fork(frame: IncomingFrame, end: EpochCursor, plan: Plan, context: PlanContext): boolean {
  const { header } = frame;
  const { sender, road, nowMs, alarm, retryMs } = context;
  const times = troubleAt(road, header.epoch, header.first, nowMs);
  alarm('The lines of an agent do not go on from what is stored', { agent: sender.agent, ...place(header) });
  // An agent that cannot begin a new epoch is heard all the same: no line is lost for a chain.
  if (times >= TIMES_BEFORE_GIVING_UP) return take(frame, end, plan, context);
  road.sentBackUntilMs.set(header.epoch, nowMs + retryMs);
  plan.forked = true;
  plan.answers.push({ t: 'new-epoch', reason: 'other lines are stored under these numbers' });
  return false;
}

function sendBack(epoch: string, reason: string, plan: Plan, context: PlanContext): boolean {
  const { road, nowMs, retryMs, counters } = context;
  road.sentBackUntilMs.set(epoch, nowMs + retryMs);
  counters.nacks += 1;
  plan.answers.push({ t: 'nack', epoch, reason, retryMs });
  return false;
}

function addGap(header: FrameHeader, gap: Gap, plan: Plan, context: PlanContext): boolean {
  context.counters.gaps += 1;
  add(header, { first: gap.from, count: gap.to - gap.from + 1, columns: null, gap }, plan, context);
  return true;
}

function add(
  header: FrameHeader,
  part: Pick<LineBatch, 'first' | 'count' | 'columns' | 'gap'>,
  plan: Plan,
  { sender, road, nowMs, clockOffsetMs }: PlanContext,
): void {
  const { epoch, hash } = header;
  plan.batches.push({
    agent: sender.agent,
    host: sender.hostId,
    hostName: sender.hostName,
    epoch,
    hash,
    receivedMs: nowMs,
    ...(clockOffsetMs === 0 ? {} : { clockOffsetMs }),
    ...part,
  });
  plan.touched.add(epoch);
  road.ends.set(epoch, { epoch, next: part.first + part.count, hash });
  road.troubles.delete(epoch);
  road.sentBackUntilMs.delete(epoch);
}

function place(header: FrameHeader): Record<string, unknown> {
  return { epoch: header.epoch, first: header.first, count: header.count };
}
