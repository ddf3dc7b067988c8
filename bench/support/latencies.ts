import type { Sight } from './paint-watch.ts';

/** Milliseconds of every line, from its call on. The stages add up to `painted`. */
export interface Latencies {
  /** Until the frame that first showed it or a later line. */
  painted: number[];
  /** Until the manager had it: the agent's spool with its sync, and the link. */
  toManager: number[];
  /** From there until the message was in the page: the manager's commit, and its live road. */
  toPage: number[];
  /** From there until the frame was painted. */
  toFrame: number[];
}

/** Lines before the call `firstMs` were the warm-up. Throws when a line was never painted. */
export function latenciesOf(calls: readonly number[], sight: Sight, firstMs: number): Latencies {
  const all: Latencies = { painted: [], toManager: [], toPage: [], toFrame: [] };
  let frame = 0;
  let message = 0;
  for (const [number, callMs] of calls.entries()) {
    while (frame < sight.frames.length && sight.frames[frame]!.newest < number) frame += 1;
    while (message < sight.arrivals.length && sight.arrivals[message]!.newest < number) message += 1;
    const [shown, came] = [sight.frames[frame], sight.arrivals[message]];
    if (shown === undefined || came === undefined) throw new Error(`line ${number} of ${calls.length} was not painted`);
    if (callMs < firstMs) continue;
    all.painted.push(shown.paintedMs - callMs);
    all.toManager.push(came.receivedMs - callMs);
    all.toPage.push(came.cameMs - came.receivedMs);
    all.toFrame.push(shown.paintedMs - came.cameMs);
  }
  return all;
}
