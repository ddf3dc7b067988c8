import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Instance } from '../common/model/instance.ts';
import type { Job } from '../common/model/job.ts';
import { registerTiny } from '../test/lab/register-tiny.ts';
import { untilBody } from '../test/support/live.ts';
import { runBench, type Undo } from './support/bench.ts';
import { type BenchCloud, startCloud } from './support/bench-cloud.ts';
import { atMost, plainRow, quantile } from './support/stats.ts';
import type { Row } from './support/table.ts';

/**
 * Launching an instance: from the request until the manager pushes that it runs, beside what no tool can go below: the same
 * clone by a bare `qemu-img create` and the same domain by a bare `virsh create`, turn about on the same host.
 */
const ROUNDS = Number(process.env['BENCH_LAUNCHES'] ?? 10);
const MEMORY_BYTES = 96 * 1024 * 1024;
const BASE = 'tiny';
const GIVEN_CACHE = '/var/cache/libvirt';

async function launch(cloud: BenchCloud, name: string): Promise<{ ms: number; id: string }> {
  const start = performance.now();
  const { job } = await cloud.send<{ job: Job }>('POST', '/api/v1/instances', {
    ...{ name, base: BASE, vcpus: 1, memoryBytes: MEMORY_BYTES },
  });
  const id = job.instance!;
  const runs = (list: Instance[]) => list.some((one) => one.id === id && one.state === 'running');
  await untilBody<Instance[]>(cloud.socket, '/api/v1/instances', runs);
  const ms = performance.now() - start;
  await untilBody<Job>(cloud.socket, `/api/v1/jobs/${job.id}`, ({ endedMs }) => endedMs !== null);
  return { ms, id };
}

async function mustRun(cloud: BenchCloud, argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await cloud.host.exec(argv);
  if (code !== 0) throw new Error(`${argv.join(' ')}: ${stderr.trim()}`);
  return stdout;
}

/** The same disk and the same domain without us. The XML is what libvirt has of the instance that was launched. */
async function bare(
  cloud: BenchCloud,
  name: string,
  like: { xml: string; disk: string; base: string; format: string },
) {
  const disk = like.disk.replace(/[^/]+$/, `${name}.qcow2`);
  const uuid = randomUUID();
  const xml = like.xml
    .replace(/<name>[^<]*<\/name>/, `<name>${name}</name>`)
    .replace(/<uuid>[^<]*<\/uuid>/, `<uuid>${uuid}</uuid>`)
    .replaceAll(like.disk, disk)
    .replaceAll(/<mac address=[^>]*>/g, '');
  writeFileSync(join(cloud.host.dir, 'cache', `${name}.xml`), xml);
  const start = performance.now();
  await mustRun(cloud, ['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', like.base, '-F', like.format, '--', disk]);
  await mustRun(cloud, ['virsh', '-q', 'create', `${GIVEN_CACHE}/${name}.xml`]);
  const ms = performance.now() - start;
  await mustRun(cloud, ['virsh', '-q', 'destroy', '--', uuid]);
  await mustRun(cloud, ['rm', '--', disk]);
  return ms;
}

async function remove(cloud: BenchCloud, id: string, name: string): Promise<void> {
  await cloud.send('DELETE', `/api/v1/instances/${id}?name=${name}&force=true`);
  await untilBody<Instance[]>(cloud.socket, '/api/v1/instances', (list) => list.every((one) => one.id !== id));
}

async function measure(later: (undo: Undo) => void): Promise<Row[]> {
  const cloud = await startCloud(later);
  await registerTiny(cloud.lab, cloud.console);
  interface Image {
    name: string;
    path: string;
    format: string;
  }
  await untilBody<Image[]>(cloud.socket, '/api/v1/images', (list) => list.some(({ name }) => name === BASE));
  const image = (await cloud.get<Image[]>('/api/v1/images')).find(({ name }) => name === BASE)!;
  const launched: number[] = [];
  const bareMs: number[] = [];
  // The first of each pays for what is loaded once.
  for (let i = -1; i < ROUNDS; i += 1) {
    const { ms, id } = await launch(cloud, `bench-${i + 1}`);
    const xml = await mustRun(cloud, ['virsh', '-q', 'dumpxml', '--inactive', '--', id]);
    const disk = (await cloud.get<Instance>(`/api/v1/instances/${id}`)).disks?.[0]?.source;
    if (disk === undefined) throw new Error('the launched instance has no disk');
    await remove(cloud, id, `bench-${i + 1}`);
    const without = await bare(cloud, `bare-${i + 1}`, { xml, disk, base: image.path, format: image.format });
    if (i < 0) continue;
    launched.push(ms);
    bareMs.push(without);
  }
  return [
    plainRow('launch request → running, p50', quantile(launched, 0.5), 'ms'),
    plainRow('bare qemu-img create + virsh create, p50', quantile(bareMs, 0.5), 'ms'),
    atMost('launch over bare, p50', quantile(launched, 0.5) / quantile(bareMs, 0.5), '×', 1.5),
  ];
}

await runBench('Launch', async (later) => {
  if (process.getuid?.() === 0) return measure(later);
  console.error('Not measured: a lab of hosts with a real libvirt needs root.');
  return [];
});
