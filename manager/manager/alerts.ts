import { ALERTS_DEFAULTS, type Alerts, createAlerts } from '../alerts/alerts.ts';
import type { Bus } from '../bus/bus.ts';
import type { ManagerConfig } from '../config.ts';
import type { Log } from '../http/log.ts';
import { columnsOf, sortMsOf } from '../store/line-columns.ts';
import type { LineStore, StateStore } from '../store/ports.ts';
import type { Fleet } from './fleet.ts';

export interface ManagerAlertsDeps {
  state: StateStore;
  lines: LineStore;
  fleet: Pick<Fleet, 'inventory' | 'intake'>;
  bus: Bus;
  log: Log;
  consoleUrl(): string;
}

const SMTP_LIMIT_MS = 30_000;

/** Rules and deliveries on the stores and the fleet of this manager: wired, not started. */
export function createManagerAlerts({ alerts }: ManagerConfig, deps: ManagerAlertsDeps): Alerts {
  const { state, lines, fleet, bus, log } = deps;
  return createAlerts(
    {
      ...ALERTS_DEFAULTS,
      smtp: { ...alerts.smtp, limitMs: SMTP_LIMIT_MS },
      allow: alerts.allow,
      hookLimitMs: alerts.hookTimeout,
      deliveries: {
        ...ALERTS_DEFAULTS.deliveries,
        ...{ giveUpMs: alerts.giveUp, gatherMs: alerts.gather, gatherMostMs: alerts.gatherMost },
      },
    },
    {
      ...{ state, lines, bus, log, reader: { columnsOf, sortMsOf } },
      known: {
        hosts: () => fleet.inventory.hosts(),
        instances: () => fleet.inventory.instances().filter(({ state: now }) => now === 'running'),
      },
      troubles: () => fleet.intake.counters.storeErrors,
      consoleUrl: () => alerts.consoleUrl?.replace(/\/+$/, '') ?? deps.consoleUrl(),
    },
  );
}
