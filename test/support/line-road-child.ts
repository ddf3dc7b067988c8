import { type LineRoadOptions, startLineRoad } from './line-road.ts';

/** What the parent hands to a manager's road of lines that is meant to be killed. */
export interface RoadOrder {
  dir: string;
  tls: LineRoadOptions['tls'];
  agent: { id: string; port: number };
  /** SIGKILL to this process on the n-th pass of this point; absent: never. */
  kill: { at: string; pass: number } | null;
  checkpointBytes: number;
}

const order = JSON.parse(process.argv[2] ?? 'null') as RoadOrder;
let left = order.kill?.pass ?? 0;
/** Ends the process as `kill -9` does, without a chance to clean up. */
const failpoint = (name: string): void => {
  if (name !== order.kill?.at) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
};
const road = await startLineRoad({
  dir: order.dir,
  tls: order.tls,
  failpoint,
  store: { failpoint, checkpointBytes: order.checkpointBytes },
  links: { firstRetryMs: 5, longestRetryMs: 20 },
  intake: { retryMs: 20 },
});
road.enrol(order.agent.id, '127.0.0.1', order.agent.port);
process.send?.('ready');
// A test that gave up must not leave us behind.
process.on('disconnect', () => process.exit());
process.on('message', () => {
  void road.stop().then(() => process.disconnect());
});
