import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostLoad } from '../../common/model/host.ts';

/** Load of this machine from /proc. The first call measures since boot, every later one since the call before. */
export function createHostLoad(config: { procDir: string }, now: () => number): () => Promise<HostLoad | null> {
  let before = { busy: 0, all: 0 };

  return async () => {
    const read = (name: string) => readFile(join(config.procDir, name), 'latin1').catch(() => '');
    const [stat, memory, average] = await Promise.all([read('stat'), read('meminfo'), read('loadavg')]);
    const ticks = /^cpu +([\d ]+)/.exec(stat)?.[1]?.split(' ').map(Number);
    const totalKib = Number(/^MemTotal: +(\d+)/m.exec(memory)?.[1] ?? Number.NaN);
    const freeKib = Number(/^MemAvailable: +(\d+)/m.exec(memory)?.[1] ?? Number.NaN);
    if (ticks === undefined || Number.isNaN(totalKib) || Number.isNaN(freeKib)) return null;
    // user nice system idle iowait irq softirq steal; the time of guests is inside user.
    const all = ticks.slice(0, 8).reduce((sum, part) => sum + part, 0);
    const busy = all - (ticks[3] ?? 0) - (ticks[4] ?? 0);
    const cpuRatio = all === before.all ? 0 : (busy - before.busy) / (all - before.all);
    before = { busy, all };
    return {
      tsMs: now(),
      cpuRatio: Math.min(1, Math.max(0, cpuRatio)),
      load1: Number.parseFloat(average) || 0,
      memoryUsedBytes: Math.max(0, totalKib - freeKib) * 1_024,
    };
  };
}
