import { join } from 'node:path';
import { ruleDraftSchema } from '../../common/model/rule.ts';
import { ALERTS_DEFAULTS, createAlerts } from '../../manager/alerts/alerts.ts';
import { createLines, reader } from '../../manager/alerts/testing.ts';
import { createBus } from '../../manager/bus/bus.ts';
import { openStateStore } from '../../manager/store/sqlite/open.ts';

/** What the parent hands to rules and deliveries that are meant to be killed. */
export interface AlertsOrder {
  dir: string;
  hook: string;
  /** Ends the process as `kill -9` does once a rule has fired, before anything is delivered. */
  killAtFire: boolean;
}

const order = JSON.parse(process.argv[2] ?? 'null') as AlertsOrder;
const bus = createBus((error) => {
  throw error;
});
const state = openStateStore(join(order.dir, 'state.sqlite'));
const written = createLines(bus);
const say = (message: string): void => {
  if (message === 'a rule fired' && order.killAtFire) process.kill(process.pid, 'SIGKILL');
};
const alerts = createAlerts(
  {
    ...ALERTS_DEFAULTS,
    smtp: { host: null, port: 25, tls: 'none', user: null, password: null, from: 'a@b', limitMs: 1_000 },
    allow: ['127.0.0.1'],
    hookLimitMs: 5_000,
    deliveries: { ...ALERTS_DEFAULTS.deliveries, gatherMs: 100 },
  },
  {
    ...{ state, lines: written.lines, reader, bus, log: { debug: say, info: say, warn: say, error: say } },
    known: { hosts: () => [], instances: () => [] },
    troubles: () => 0,
    consoleUrl: () => 'http://console',
  },
);
// What the store has kept over the kill: the same lines under the same numbers.
written.commit([{ message: 'before' }], { told: false, nowMs: 1 });
const isFirst = state.rules.list().length === 0;
if (!isFirst) written.commit([{}, {}, {}], { told: false });
alerts.start();
if (isFirst) {
  const { id } = alerts.destinations.create({ kind: 'webhook', name: 'hook', url: order.hook, secret: 'key' }, 'me');
  const condition = { kind: 'lines', count: 3, withinMs: 60_000 };
  alerts.rules.create(ruleDraftSchema.parse({ name: 'r', query: {}, condition, destinations: [id] }), 'me');
  written.commit([{}, {}, {}]);
}
void alerts.engine.idle().then(() => process.send?.('ready'));
// A test that gave up must not leave us behind.
process.on('disconnect', () => process.exit());
