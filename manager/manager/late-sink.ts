import type { NewLine } from '../../common/model/line.ts';
import type { LineSink } from '../../logging/line-sink.ts';

const LIMIT_EARLY_LINES = 10_000;

/** Takes the lines of the logger before the road into the store is built, and hands them on once it is. */
export function createLateSink(): LineSink & { attach(sink: LineSink): void } {
  const early: NewLine[] = [];
  let target: LineSink | null = null;
  return {
    add(line) {
      if (target !== null) target.add(line);
      else if (early.length < LIMIT_EARLY_LINES) early.push(line);
    },
    attach(sink) {
      target = sink;
      for (const line of early.splice(0)) sink.add(line);
    },
  };
}
