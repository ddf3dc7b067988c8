import type { Instance } from '../common/model/instance.ts';
import type { Job } from '../common/model/job.ts';
import type { MigrationResult } from '../common/model/migration.ts';
import type { LabHost } from '../test/lab/host.ts';
import { untilBody } from '../test/support/live.ts';
import { runBench, type Undo } from './support/bench.ts';
import { type BenchCloud, startCloud } from './support/bench-cloud.ts';
import { atMost, plainRow, quantile } from './support/stats.ts';
import type { Row } from './support/table.ts';

/**
 * Live migration between two hosts: ours beside a bare `virsh migrate --live` with its defaults, turn about with the same
 * guest. The downtime is what libvirt measured; the total is the wall clock of the job, and of virsh.
 */
const ROUNDS = Number(process.env['BENCH_MIGRATIONS'] ?? 16);

interface Move {
  downtimeMs: number;
  totalMs: number;
}

async function ours(cloud: BenchCloud, id: string, target: string): Promise<Move> {
  const start = performance.now();
  const { job } = await cloud.send<{ job: Job }>('POST', `/api/v1/instances/${id}/migrate`, { target, live: true });
  const uri = `/api/v1/jobs/${job.id}`;
  const ended = await untilBody<Job>(cloud.socket, uri, ({ endedMs }) => endedMs !== null);
  const totalMs = performance.now() - start;
  const result = ended.result as MigrationResult | null;
  if (ended.state !== 'done' || typeof result?.downtimeMs !== 'number')
    throw new Error(`${ended.state}: ${ended.error?.message} ${JSON.stringify(result)}`);
  return { downtimeMs: result.downtimeMs, totalMs };
}

async function mustVirsh(host: LabHost, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await host.virsh('-q', ...words);
  if (code !== 0) throw new Error(`virsh ${words.join(' ')}: ${stderr.trim()}`);
  return stdout;
}

async function bare(from: LabHost, to: LabHost, id: string): Promise<Move> {
  const start = performance.now();
  await mustVirsh(
    from,
    ...['migrate', '--live', '--p2p', '--persistent', '--undefinesource', '--', id, `qemu+tcp://${to.address}/system`],
  );
  const totalMs = performance.now() - start;
  const told = await mustVirsh(to, 'domjobinfo', '--completed', '--', id);
  const downtimeMs = Number(/Total downtime:\s+(\d+)/.exec(told)?.[1]);
  if (!Number.isFinite(downtimeMs)) throw new Error(`no downtime in: ${told}`);
  return { downtimeMs, totalMs };
}

async function measure(later: (undo: Undo) => void): Promise<Row[]> {
  const cloud = await startCloud(later, { hosts: 2 });
  const [one, two] = cloud.lab.hosts as [LabHost, LabHost];
  const hosts = await cloud.get<{ id: string; name: string }[]>('/api/v1/hosts');
  const idOf = ({ name }: LabHost) => hosts.find((host) => host.name === name)!.id;
  const id = await one.defineGuest({ name: 'mover', memoryMiB: 256 });
  await one.awaitConsole('mover', /heartbeat/);
  const at = (host: LabHost) => (list: Instance[]) =>
    list.some(
      (each) => each.id === id && each.host === idOf(host) && each.state === 'running' && each.busyJob === null,
    );
  const mine: Move[] = [];
  const plain: Move[] = [];
  let [from, to] = [one, two];
  // There and back with one, there and back with the other, who begins in turn: each goes both ways equally often, and
  // equally often behind itself and behind the other. The first of each are the warm-up.
  for (let i = -4; i < ROUNDS * 2; i += 1) {
    await untilBody<Instance[]>(cloud.socket, '/api/v1/instances', at(from));
    const byUs = [0, 3].includes(Math.floor((i + 8) / 2) % 4);
    const move = byUs ? await ours(cloud, id, idOf(to)) : await bare(from, to, id);
    if (i >= 0) (byUs ? mine : plain).push(move);
    [from, to] = [to, from];
  }
  const downtimes = (moves: Move[]) => moves.map(({ downtimeMs }) => downtimeMs);
  const totals = (moves: Move[]) => moves.map(({ totalMs }) => totalMs);
  const [down, bareDown] = [quantile(downtimes(mine), 0.5), quantile(downtimes(plain), 0.5)];
  const [total, bareTotal] = [quantile(totals(mine), 0.5), quantile(totals(plain), 0.5)];
  return [
    atMost('live migration, downtime p50', down, 'ms', bareDown),
    plainRow('virsh migrate --live, downtime p50', bareDown, 'ms'),
    plainRow('live migration, request → done, p50', total, 'ms'),
    plainRow('virsh migrate --live, total p50', bareTotal, 'ms'),
    atMost('total over virsh, p50', total / bareTotal, '×', 1.2),
  ];
}

await runBench('Live migration', async (later) => {
  if (process.getuid?.() === 0) return measure(later);
  console.error('Not measured: a lab of hosts with a real libvirt needs root.');
  return [];
});
