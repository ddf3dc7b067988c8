/** What waits for a transaction, each sender's in the order in which it came. */
export interface Lanes<T> {
  readonly length: number;
  push(sender: string, item: T): void;
  /** True when something of this sender waits. */
  has(sender: string): boolean;
  /**
   * Takes one of each sender in turn, and again, until the weights reach the limit; the first always fits. So a sender
   * that floods fills what the others leave, and one line of another is in the very next transaction.
   */
  take(limit: number, weightOf: (item: T) => number): T[];
  /**
   * Takes all of those who have little: no more than `mostOfOne` each, and `limit` together; the others wait. May be
   * nothing.
   */
  takeLittle(limit: number, mostOfOne: number, weightOf: (item: T) => number): T[];
  /** Takes everything. */
  clear(): T[];
}

export function createLanes<T>(): Lanes<T> {
  const lanes = new Map<string, T[]>();
  let length = 0;

  return {
    get length() {
      return length;
    },
    push(sender, item) {
      const lane = lanes.get(sender);
      if (lane === undefined) lanes.set(sender, [item]);
      else lane.push(item);
      length += 1;
    },
    has: (sender) => lanes.has(sender),
    take(limit, weightOf) {
      const taken: T[] = [];
      let weight = 0;
      for (let round = 0, any = true; any; round += 1) {
        any = false;
        for (const lane of lanes.values()) {
          const item = lane[round];
          if (item === undefined) continue;
          weight += weightOf(item);
          if (taken.length > 0 && weight > limit) return settle(taken);
          taken.push(item);
          any = true;
        }
      }
      return settle(taken);
    },
    takeLittle(limit, mostOfOne, weightOf) {
      const taken: T[] = [];
      let total = 0;
      for (const lane of lanes.values()) {
        let weight = 0;
        for (const item of lane) {
          weight += weightOf(item);
          if (weight > mostOfOne) break;
        }
        if (weight > mostOfOne || total + weight > limit) continue;
        total += weight;
        taken.push(...lane);
      }
      return settle(taken);
    },
    clear() {
      const all = [...lanes.values()].flat();
      lanes.clear();
      length = 0;
      return all;
    },
  };

  /** Takes them off their lanes: they are at the front of each. */
  function settle(taken: T[]): T[] {
    const gone = new Set(taken);
    for (const [sender, lane] of [...lanes]) {
      let count = 0;
      while (count < lane.length && gone.has(lane[count]!)) count += 1;
      if (count === 0) continue;
      lane.splice(0, count);
      // Who had its turn goes behind the others; who has nothing left is forgotten.
      lanes.delete(sender);
      if (lane.length > 0) lanes.set(sender, lane);
    }
    length -= taken.length;
    return taken;
  }
}
