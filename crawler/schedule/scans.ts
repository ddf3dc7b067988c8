import { WebvirtError } from '../../common/errors.ts';
import type { Scan, ScanKind } from '../../common/model/discovery.ts';
import { type Cidr, printCidr } from '../../common/pure/ip/cidr.ts';
import { mustLieInside, mustScanRange } from '../../common/pure/ip/scan-range.ts';
import { createLimiter } from '../classify/limiter.ts';
import type { CrawlerConfig } from '../config.ts';
import type { RunRequest } from '../report/connection.ts';
import type { ScanOrder } from '../scan/run-scan.ts';
import { type Repeating, repeat } from './repeat.ts';

export type PlannedKind = Exclude<ScanKind, 'known'>;

export interface ScansDeps {
  config: Pick<CrawlerConfig, 'blocks' | 'scans' | 'allowLoopback'>;
  run(order: ScanOrder): Promise<Scan>;
  /** Tells of a scan that waits for its turn or that is refused. */
  tell(scan: Scan): void;
  now(): number;
}

export interface Scans {
  start(): void;
  /** A scan that somebody asked for. Runs beside the planned ones, at most two at a time. */
  order(request: RunRequest): void;
  /** Resolves when no scan runs any more. The caller has aborted them. */
  stop(): Promise<void>;
}

const MANUAL_WIDTH = 2;
const MANUAL_WAITING = 32;

/** The three planned scans, each over every range with its own period and rate, one at a time; and those asked for. */
export function createScans({ config, run, tell, now }: ScansDeps): Scans {
  const oneAtATime = createLimiter(1);
  const manual = createLimiter(MANUAL_WIDTH);
  const underWay = new Set<Promise<unknown>>();
  let plans: Repeating[] = [];
  let stopped = false;

  const planned = (kind: PlannedKind, rate: number) => async () => {
    for (const range of config.blocks)
      await oneAtATime(async () => {
        if (stopped) return;
        await run({ id: plannedId(kind, range), kind, range, actor: 'schedule', rate });
      });
  };

  return {
    start() {
      if (stopped || plans.length > 0) return;
      const { whole, silent, noAgent } = config.scans;
      plans = [
        repeat(planned('whole', whole.rate), whole.period, 0),
        repeat(planned('silent', silent.rate), silent.period, silent.period),
        repeat(planned('no-agent', noAgent.rate), noAgent.period, noAgent.period),
      ];
    },
    order(request) {
      if (stopped) return;
      const waiting = blankScan(request);
      try {
        if (underWay.size >= MANUAL_WAITING)
          throw new WebvirtError('too-many-requests', 'Too many scans wait already.');
        // The manager has checked the range; whoever sends is not trusted with where we scan.
        const range = mustScanRange(request.range, { allowLoopback: config.allowLoopback });
        mustLieInside(range, config.blocks);
        const order: ScanOrder = {
          id: request.scanId,
          kind: request.kind,
          range,
          actor: request.actor,
          rate: config.scans.manual.rate,
        };
        tell(waiting);
        const task: Promise<unknown> = manual(async () => (stopped ? undefined : run(order)));
        underWay.add(task);
        void task.finally(() => underWay.delete(task));
      } catch (error) {
        tell({ ...waiting, state: 'failed', endedMs: now(), error: (error as Error).message });
      }
    },
    async stop() {
      stopped = true;
      await Promise.all([...plans.map((plan) => plan.stop()), ...underWay]);
    },
  };
}

/** One row per kind and range: of a planned scan only the last result is kept. */
function plannedId(kind: PlannedKind, range: Cidr): string {
  return `schedule-${kind}-${printCidr(range).replace('/', '-')}`;
}

function blankScan({ scanId, kind, range, actor }: RunRequest): Scan {
  const none = { startedMs: null, endedMs: null, addresses: 0, scanned: 0, up: 0, agents: 0, error: null };
  return { id: scanId, kind, range, state: 'queued', actor, ...none };
}
