// The manager's half of a storm: links, intake and store, until it is killed. On stdout it says what viewers were told.
import { writeSync } from 'node:fs';
import { startLineRoad } from './line-road.ts';
import type { RoadOrder } from './line-road-child.ts';

const order = JSON.parse(process.argv[2] ?? 'null') as RoadOrder;
let left = order.kill?.pass ?? 0;
const failpoint = (name: string): void => {
  if (name !== order.kill?.at) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
};
const road = await startLineRoad({
  ...{ dir: order.dir, tls: order.tls, failpoint },
  store: { failpoint, checkpointBytes: order.checkpointBytes },
  links: { firstRetryMs: 5, longestRetryMs: 20 },
  intake: { retryMs: 20 },
});
road.bus.on('lines', ({ batches }) => {
  for (const { agent, epoch, first, columns } of batches)
    if (columns !== null && agent === order.agent.id)
      writeSync(1, `${JSON.stringify({ t: 'live', epoch, first, count: columns.n })}\n`);
});
road.enrol(order.agent.id, '127.0.0.1', order.agent.port);
process.stdin.on('data', () => void road.stop().then(() => process.exit(0)));
process.stdin.on('end', () => process.exit());
