import type { NewLine } from '../../../common/model/line.ts';
import { ColumnBuilder } from '../../../common/wire/frames.ts';
import type { IncomingFrame } from '../ports.ts';
import type { Chain } from './chain.ts';

/** Of one sender in one frame: each has its part of every commit. */
const LIMIT_TURN_LINES = 500;
const LIMIT_FRAME_LINES = 10_000;
/** Of one sender while the store is behind. */
const LIMIT_WAITING_LINES = 10_000;
const LIMIT_WAITING_CHARACTERS = 8 * 1024 * 1024;
/** Of all of them. */
const LIMIT_ALL_CHARACTERS = 64 * 1024 * 1024;
/** Lines that follow each other into a gap are told as one, and not before this. */
const GAP_AFTER_MS = 1_000;

interface Lane {
  lines: NewLine[];
  characters: number;
  gap: { count: number; bytes: number; firstTsMs: number; lastTsMs: number; reason: string; sinceMs: number } | null;
}

/**
 * Lines that nobody would send again (syslog): they wait here until they are stored, within bounds. Each sender has a lane
 * and its part of every frame. A frame that fails is sent again as it is, so that each line is stored once.
 */
export function createLooseLines(
  config: { retryMs: number },
  deps: { chain: Chain; monotonicMs: () => number; nowMs: () => number },
) {
  const { chain, monotonicMs, nowMs } = deps;
  const lanes = new Map<string, Lane>();
  let characters = 0;
  let running: Promise<void> | null = null;
  let stopped = false;
  let wake: (() => void) | null = null;

  function laneOf(key: string): Lane {
    let lane = lanes.get(key);
    if (lane === undefined) {
      lane = { lines: [], characters: 0, gap: null };
      lanes.set(key, lane);
    }
    return lane;
  }

  const isFull = (lane: Lane) =>
    lane.lines.length >= LIMIT_WAITING_LINES ||
    lane.characters >= LIMIT_WAITING_CHARACTERS ||
    characters >= LIMIT_ALL_CHARACTERS;

  function takeFrame(): IncomingFrame | null {
    const builder = new ColumnBuilder();
    for (const [key, lane] of [...lanes]) {
      if (builder.count >= LIMIT_FRAME_LINES) break;
      const turn = lane.lines.splice(0, LIMIT_TURN_LINES);
      for (const line of turn) {
        builder.add(line);
        lane.characters -= line.message.length;
        characters -= line.message.length;
      }
      // Behind the others for the next frame.
      lanes.delete(key);
      if (lane.lines.length > 0 || lane.gap !== null) lanes.set(key, lane);
    }
    return builder.count === 0 ? takeGap() : chain.frame(builder.take());
  }

  /** A gap is told when nothing of its lane waits before it and it is not just growing. */
  function takeGap(): IncomingFrame | null {
    for (const [key, lane] of lanes) {
      const { gap } = lane;
      if (gap === null || (!stopped && monotonicMs() - gap.sinceMs < GAP_AFTER_MS)) continue;
      lane.gap = null;
      if (lane.lines.length === 0) lanes.delete(key);
      const { count, sinceMs: _, ...about } = gap;
      return chain.gapFrame(count, about);
    }
    return null;
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function run(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (lanes.size > 0) {
      const frame = takeFrame();
      if (frame === null) {
        await pause(GAP_AFTER_MS / 4);
        continue;
      }
      while (!(await chain.send(frame))) {
        // At the stop what the store does not take is lost with the process, as it is by a kill.
        if (stopped) return;
        await pause(config.retryMs);
      }
    }
    running = null;
  }

  const start = () => {
    running ??= run();
  };

  return {
    /** False when there is no room for it. */
    add(key: string, line: NewLine): boolean {
      const lane = laneOf(key);
      if (stopped || isFull(lane)) return false;
      lane.lines.push(line);
      lane.characters += line.message.length;
      characters += line.message.length;
      start();
      return true;
    },
    /** Lines of this sender were dropped: a record of it is stored in their place. */
    drop(key: string, reason: string, count: number, bytes: number): void {
      const lane = laneOf(key);
      const atMs = nowMs();
      lane.gap ??= { count: 0, bytes: 0, firstTsMs: atMs, lastTsMs: atMs, reason, sinceMs: monotonicMs() };
      lane.gap.count += count;
      lane.gap.bytes += bytes;
      lane.gap.lastTsMs = atMs;
      start();
    },
    isFull: (key: string) => {
      const lane = lanes.get(key);
      return lane !== undefined && isFull(lane);
    },
    /** Stores what waits, gaps included, as far as the store takes it. */
    async stop(): Promise<void> {
      stopped = true;
      wake?.();
      await running;
    },
  };
}
