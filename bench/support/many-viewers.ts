import WebSocket from 'ws';
import { wallOffsetMs } from './clock.ts';

/**
 * Viewers in a process of their own. They speak the protocol of Socket.io by hand and read no JSON: what is measured is
 * the manager, not how fast a hundred clients on the same two cores parse. Of each message the oldest line is timed.
 */
interface Order {
  url: string;
  token: string;
  viewers: number;
}
export interface Report {
  /** Milliseconds from the call to the message in the viewer's hands, by viewer. */
  latencies: number[][];
  /** The same from the moment at which the manager had it. */
  fromManager: number[];
  /** Messages that said that lines were skipped. */
  skips: number;
  /** Number of the newest line each has seen. */
  newest: number[];
  bytes: number;
}

const order = JSON.parse(process.argv[2]!) as Order;
const offsetMs = wallOffsetMs();
const report: Report = { latencies: [], fromManager: [], skips: 0, newest: [], bytes: 0 };
const MARK = Buffer.from('"bench ');
const RECEIVED = Buffer.from('"receivedMs":');
const SKIPPED = Buffer.from('"skipped":');
const ZERO = 0x30;

function twoNumbers(data: Buffer, at: number): [number, number] {
  const [number, callUs] = data.toString('latin1', at + MARK.length, at + MARK.length + 40).split(' ');
  return [Number(number), Number(callUs)];
}

function look(viewer: number, data: Buffer): void {
  report.bytes += data.length;
  const first = data.indexOf(MARK);
  if (first < 0) return;
  const nowMs = offsetMs + performance.now();
  report.latencies[viewer]!.push(nowMs - twoNumbers(data, first)[1] / 1_000);
  const received = data.lastIndexOf(RECEIVED, first) + RECEIVED.length;
  report.fromManager.push(nowMs - Number(data.toString('latin1', received, received + 13)));
  report.newest[viewer] = twoNumbers(data, data.lastIndexOf(MARK))[0];
  const skipped = data.lastIndexOf(SKIPPED);
  if (skipped >= 0 && data[skipped + SKIPPED.length] !== ZERO) report.skips += 1;
}

function open(viewer: number): Promise<void> {
  report.latencies[viewer] = [];
  report.newest[viewer] = -1;
  const socket = new WebSocket(`${order.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, {
    perMessageDeflate: false,
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.on('message', (data: Buffer) => {
      if (data[0] !== ZERO + 4) {
        if (data[0] === ZERO) socket.send(`40${JSON.stringify({ token: order.token })}`);
        else if (data[0] === ZERO + 2) socket.send('3');
      } else if (data[1] === ZERO) socket.send('420["logs:tail",{"id":"t","source":"agent"}]');
      else if (data[1] === ZERO + 3) resolve();
      else look(viewer, data);
    });
  });
}

for (let viewer = 0; viewer < order.viewers; viewer += 1) await open(viewer);
process.on('message', (wanted: 'begin' | 'report') => {
  if (wanted === 'begin') {
    report.latencies = report.latencies.map(() => []);
    report.newest = report.newest.map(() => -1);
    report.fromManager = [];
    report.skips = 0;
    report.bytes = 0;
  }
  process.send!(wanted === 'begin' ? 'begun' : report);
});
process.on('disconnect', () => process.exit(0));
process.send!('open');
