import { readFileSync } from 'node:fs';
import { trimEndOf } from '../../common/pure/trim-end.ts';
import { ALERTS_DEFAULTS, type Alerts, createAlerts } from '../alerts/alerts.ts';
import type { KnownGroups } from '../alerts/ports.ts';
import type { Bus } from '../bus/bus.ts';
import type { ManagerConfig } from '../config.ts';
import type { Log } from '../http/log.ts';
import { columnsOf, sortMsOf } from '../store/line-columns.ts';
import type { LineStore, StateStore } from '../store/ports.ts';
import type { Fleet } from './fleet.ts';
import type { Peers } from './peers.ts';

export interface ManagerAlertsDeps {
  state: StateStore;
  lines: LineStore;
  fleet: Pick<Fleet, 'inventory' | 'intake'>;
  bus: Bus;
  log: Log;
  /** The other managers: hosts and instances of which lines are expected too, and what is waited for before people are told. */
  peers: Pick<Peers, 'known' | 'taken'>;
  consoleUrl(): string;
}

const SMTP_LIMIT_MS = 30_000;

/** Rules and deliveries on the stores and the fleet of this manager: wired, not started. */
export function createManagerAlerts({ alerts }: ManagerConfig, deps: ManagerAlertsDeps): Alerts {
  const { state, lines, fleet, bus, log, peers } = deps;
  const own = ownGroups(fleet);
  return createAlerts(
    {
      ...ALERTS_DEFAULTS,
      smtp: { ...alerts.smtp, ca: caOf(alerts.smtp.caFile), limitMs: SMTP_LIMIT_MS },
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
        hosts: () => [...own.hosts(), ...peers.known.hosts()],
        instances: () => [...own.instances(), ...peers.known.instances()],
      },
      taken: peers.taken,
      troubles: () => fleet.intake.counters.storeErrors,
      consoleUrl: () => (alerts.consoleUrl === null ? deps.consoleUrl() : trimEndOf(alerts.consoleUrl, '/')),
    },
  );
}

function caOf(file: string | null): string | null {
  return file === null ? null : readFileSync(file, 'utf8');
}

/** Of whom this manager expects lines. */
export function ownGroups({ inventory }: Pick<Fleet, 'inventory'>): KnownGroups {
  return {
    hosts: () => inventory.hosts(),
    instances: () => inventory.instances().filter(({ state }) => state === 'running'),
  };
}
