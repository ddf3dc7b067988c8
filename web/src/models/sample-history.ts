import type { SampleSeries } from '../../../common/model/sample.ts';

/** One curve pair of a host or an instance, oldest first. */
export interface Curve {
  tsMs: number[];
  cpuRatio: number[];
  memoryUsedBytes: number[];
}

const EMPTY: Curve = { tsMs: [], cpuRatio: [], memoryUsedBytes: [] };

/**
 * Recent samples by id for sparklines: filled once from the manager's short history, then kept in step by the loads
 * that the lists carry. At most `points` each.
 */
export class SampleHistory {
  #curves = new Map<string, Curve>();
  #points: number;

  constructor(points: number) {
    this.#points = points;
  }

  of(id: string): Curve {
    return this.#curves.get(id) ?? EMPTY;
  }

  /** Takes a whole history; newer points that are here already stay. */
  load(series: SampleSeries): void {
    const newer = this.#curves.get(series.id);
    const lastMs = series.tsMs.at(-1) ?? 0;
    const curve: Curve = {
      tsMs: [...series.tsMs],
      cpuRatio: [...series.cpuRatio],
      memoryUsedBytes: [...series.memoryUsedBytes],
    };
    this.#curves.set(series.id, curve);
    newer?.tsMs.forEach((tsMs, index) => {
      if (tsMs > lastMs) this.add(series.id, tsMs, newer.cpuRatio[index]!, newer.memoryUsedBytes[index]!);
    });
  }

  /** Adds one sample; one that is not newer than the last is ignored. */
  add(id: string, tsMs: number, cpuRatio: number, memoryUsedBytes: number): void {
    let curve = this.#curves.get(id);
    if (curve === undefined) {
      curve = { tsMs: [], cpuRatio: [], memoryUsedBytes: [] };
      this.#curves.set(id, curve);
    }
    if (tsMs <= (curve.tsMs.at(-1) ?? -1)) return;
    curve.tsMs.push(tsMs);
    curve.cpuRatio.push(cpuRatio);
    curve.memoryUsedBytes.push(memoryUsedBytes);
    if (curve.tsMs.length > this.#points) {
      curve.tsMs.shift();
      curve.cpuRatio.shift();
      curve.memoryUsedBytes.shift();
    }
  }

  forget(id: string): void {
    this.#curves.delete(id);
  }
}
