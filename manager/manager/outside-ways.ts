import type { Bus } from '../bus/bus.ts';
import type { ManagerConfig } from '../config.ts';
import type { Log } from '../http/log.ts';
import type { FrameTaker } from '../intake/outside/chain.ts';
import { createOutside } from '../intake/outside/outside.ts';
import type { OutsideDoor, Way, WayReport } from '../intake/outside/ports.ts';
import { createSyslog } from '../intake/syslog/syslog.ts';

export interface OutsideWays {
  door: OutsideDoor;
  /** What each way took, refused and dropped. */
  report(): WayReport[];
  /** Opens the ports of their own that are configured. Rejects when one cannot be opened. */
  start(): Promise<void>;
  /** Closes them and stores what waits. */
  stop(): Promise<void>;
}

const TELL_EVERY_MS = 1_000;
const PATHS: Partial<Record<Way, string>> = { http: '/api/v1/logs', otlp: '/v1/logs', loki: '/loki/api/v1/push' };

/** All ways by which programs outside send lines, behind one door. */
export function createOutsideWays(
  { intake, lines }: Pick<ManagerConfig, 'intake' | 'lines'>,
  deps: { intake: FrameTaker; log: Log; tls: () => { key: string; cert: string }; bus: Pick<Bus, 'emit'> },
): OutsideWays {
  let timer: NodeJS.Timeout | undefined;
  const onChange = () => {
    if (timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      deps.bus.emit('outside', {});
    }, TELL_EVERY_MS);
    timer.unref();
  };
  const door = createOutside(
    { linesPerSecond: intake.linesPerSecond, burstLines: intake.burst, retryMs: lines.retry },
    { ...deps, onChange },
  );
  const { maxMessage: maxMessageBytes, idle: idleMs, ...rest } = intake.syslog;
  const syslog = createSyslog(
    { ...rest, maxMessageBytes, idleMs },
    { door, nowMs: Date.now, log: deps.log, tls: deps.tls },
  );
  return {
    door,
    report: () => door.report((way) => PATHS[way] ?? syslog.listens(way)),
    start: syslog.start,
    async stop() {
      await syslog.stop();
      await door.stop();
      clearTimeout(timer);
    },
  };
}
