import type { Level, NewLine } from '../../common/model/line.ts';

const REPORT_MS = 5_000;

/**
 * Lets `linesPerSecond` through with a burst; what is more is counted and told by a line of its own: a loss by policy
 * is always on the record. One guest that shouts does not silence the others: counted for each `key`.
 */
export function createRateLimit(
  config: { linesPerSecond: number; burst: number },
  deps: { emit(line: NewLine): void; now(): number; monotonicMs?(): number },
) {
  const clock = deps.monotonicMs ?? (() => performance.now());
  const buckets = new Map<
    string,
    { tokens: number; atMs: number; dropped: number; worst: Level; sample: NewLine | null }
  >();
  let timer: NodeJS.Timeout | undefined;

  function report(): void {
    timer = undefined;
    for (const [key, bucket] of buckets) {
      if (bucket.dropped > 0 && bucket.sample !== null) {
        const { source, unit, instance } = bucket.sample;
        deps.emit({
          tsMs: deps.now(),
          level: 'warn',
          source,
          ...(unit === undefined ? {} : { unit }),
          ...(instance === undefined ? {} : { instance }),
          message: `${bucket.dropped} lines were left out: more than ${config.linesPerSecond} a second came`,
          fields: { dropped: bucket.dropped, linesPerSecond: config.linesPerSecond, worstLevel: bucket.worst },
        });
        bucket.dropped = 0;
        bucket.sample = null;
      } else if (clock() - bucket.atMs > 10 * REPORT_MS) buckets.delete(key);
    }
  }

  return {
    emit(key: string, line: NewLine): void {
      const nowMs = clock();
      let bucket = buckets.get(key);
      if (bucket === undefined) {
        bucket = { tokens: config.burst, atMs: nowMs, dropped: 0, worst: 'debug', sample: null };
        buckets.set(key, bucket);
      }
      const refill = ((nowMs - bucket.atMs) / 1_000) * config.linesPerSecond;
      bucket.tokens = Math.min(config.burst, bucket.tokens + refill);
      bucket.atMs = nowMs;
      if (bucket.tokens >= 1) {
        bucket.tokens -= 1;
        deps.emit(line);
        return;
      }
      const order: Level[] = ['error', 'warn', 'info', 'debug'];
      if (bucket.dropped === 0 || order.indexOf(line.level) < order.indexOf(bucket.worst)) bucket.worst = line.level;
      bucket.dropped += 1;
      bucket.sample = line;
      timer ??= setTimeout(report, REPORT_MS);
    },
    /** Tells what was left out until now. */
    flush(): void {
      clearTimeout(timer);
      report();
    },
  };
}
