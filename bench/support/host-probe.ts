import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { performance } from 'node:perf_hooks';

/**
 * Runs inside a host: the time to read the state of all its instances, by the agent's API over one kept connection with
 * the manager's certificate, and by as many `virsh domstate` side by side. Prints one line of JSON.
 */
interface Order {
  address: string;
  port: number;
  agentId: string;
  tlsFile: string;
  ids: string[];
}
export interface ProbeTimes {
  apiMs: number[];
  virshMs: number[];
  listed: number;
}
const ROUNDS = { api: 300, virsh: 10 };

const order = JSON.parse(process.argv[2]!) as Order;
const tls = JSON.parse(readFileSync(order.tlsFile, 'utf8')) as { key: string; cert: string; ca: string };
const kept = new Agent({ ...tls, keepAlive: true, maxSockets: 1, servername: order.agentId });

function list(): Promise<{ id: string; state: string }[]> {
  const { address: host, port } = order;
  return new Promise((resolve, reject) => {
    get({ host, port, path: '/v1/instances', agent: kept }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        const { err, message, data } = JSON.parse(text) as { err: string | null; message: string; data: never };
        if (err === null) resolve(data);
        else reject(new Error(`${err}: ${message}`));
      });
    }).on('error', reject);
  });
}

function domstate(id: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('virsh', ['domstate', '--domain', id], { stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`virsh ended with ${code}`))));
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

const times: ProbeTimes = { apiMs: [], virshMs: [], listed: 0 };
// The first ones shake hands and compile.
for (let i = 0; i < 50; i += 1) times.listed = (await list()).filter(({ id }) => order.ids.includes(id)).length;
for (let i = 0; i < ROUNDS.virsh; i += 1) {
  for (let k = 0; k < ROUNDS.api / ROUNDS.virsh; k += 1) times.apiMs.push(await timed(list));
  times.virshMs.push(await timed(() => Promise.all(order.ids.map(domstate))));
}
kept.destroy();
console.log(JSON.stringify(times));
