import type { InstanceSample } from '../../common/model/instance.ts';
import { parseDomstats } from './virsh-text.ts';

export type IoRates = Pick<InstanceSample, 'diskReadBps' | 'diskWriteBps' | 'netRxBps' | 'netTxBps'>;

interface Sums {
  atMs: number;
  diskRead: number;
  diskWrite: number;
  netRx: number;
  netTx: number;
}

const KEYS: readonly [key: keyof Omit<Sums, 'atMs'>, pattern: RegExp][] = [
  ['diskRead', /^block\.\d+\.rd\.bytes$/],
  ['diskWrite', /^block\.\d+\.wr\.bytes$/],
  ['netRx', /^net\.\d+\.rx\.bytes$/],
  ['netTx', /^net\.\d+\.tx\.bytes$/],
];

/** Rates of disks and networks out of two bulk reads of `domstats --block --interface`. */
export function createIoCounters() {
  const before = new Map<string, Sums>();
  const rates = new Map<string, IoRates>();

  return {
    /** Takes the output of one read; `monotonicMs` is when it was made. */
    read(out: string, idOf: (name: string) => string | undefined, monotonicMs: number): void {
      const seen = new Set<string>();
      for (const [name, values] of parseDomstats(out)) {
        const id = idOf(name);
        if (id === undefined) continue;
        seen.add(id);
        const now: Sums = { atMs: monotonicMs, diskRead: 0, diskWrite: 0, netRx: 0, netTx: 0 };
        for (const [key, value] of values)
          for (const [sum, pattern] of KEYS) if (pattern.test(key)) now[sum] += Number(value) || 0;
        const old = before.get(id);
        before.set(id, now);
        if (old !== undefined) rates.set(id, ratesBetween(old, now));
      }
      for (const id of before.keys()) {
        if (seen.has(id)) continue;
        before.delete(id);
        rates.delete(id);
      }
    },
    of: (id: string): IoRates => rates.get(id) ?? {},
  };
}

/** Counters start again at 0 with every start of the guest: a negative difference is no rate. */
function ratesBetween(old: Sums, now: Sums): IoRates {
  const seconds = Math.max(0.001, (now.atMs - old.atMs) / 1_000);
  const rate = (key: keyof Sums) => Math.max(0, Math.round((now[key] - old[key]) / seconds));
  return {
    diskReadBps: rate('diskRead'),
    diskWriteBps: rate('diskWrite'),
    netRxBps: rate('netRx'),
    netTxBps: rate('netTx'),
  };
}
