import type { SharedStore } from '../store/ports.ts';
import type { RuleWatch } from './rule-watch.ts';

type Reach = Pick<RuleWatch, 'position' | 'floor' | 'reached'>;

/** True when the rule has seen the line of this arrival number. Where managers share a store each has its own numbers. */
export function hasSeen(watch: Reach, ordinal: number, shared: SharedStore | undefined): boolean {
  if (shared === undefined) return ordinal <= watch.position;
  const lane = shared.laneOf(ordinal);
  return ordinal <= (watch.reached.find((one) => shared.laneOf(one) === lane) ?? watch.floor);
}

/** The rule has looked at everything of this manager up to here. */
export function reachTo(watch: Reach, ordinal: number, shared: SharedStore | undefined): void {
  watch.position = Math.max(watch.position, ordinal);
  if (shared === undefined) return;
  const lane = shared.laneOf(ordinal);
  const at = watch.reached.findIndex((one) => shared.laneOf(one) === lane);
  if (at < 0) watch.reached.push(Math.max(ordinal, watch.floor));
  else watch.reached[at] = Math.max(ordinal, watch.reached[at]!);
}
