import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../common/model/host.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { Job } from '../../common/model/job.ts';
import type { Envelope } from '../../common/wire/envelope.ts';
import type { ClientEvents, ServerEvents } from '../../common/wire/live.ts';
import { type LabConsole, startConsole } from '../lab/console.ts';
import { enrolHosts } from '../lab/enrol.ts';
import { createLab } from '../lab/lab.ts';
import { tail, untilBody } from '../support/live.ts';
import { ROOT } from '../support/program.ts';

// The product on a small real cloud: two hosts with a libvirtd each, found by nmap, enrolled by token, watched and acted on.

const distDir = join(ROOT, 'dist');
const final = (job: Job) => !['planned', 'running'].includes(job.state);

describe.skipIf(process.getuid?.() !== 0)('a real cloud', () => {
  const lab = createLab({ name: `wvf-${process.pid}`, hosts: 2 });
  const sockets: Socket[] = [];
  let cloud: LabConsole;
  let token: string;

  beforeAll(async () => {
    await lab.up();
    cloud = await startConsole(lab, { distDir, port: 4600, listenPort: 0 });
    token = readFileSync(join(cloud.dataDir, 'local', 'admin.token'), 'utf8').trim();
    await enrolHosts(lab, cloud, { distDir, port: 4600 });
    await untilBody<Host[]>(
      socket(),
      '/api/v1/hosts',
      (list) => list.filter((host) => host.state === 'online').length === 2,
    );
  });
  afterAll(async () => {
    for (const one of sockets) one.close();
    await cloud?.stop();
    await lab.down();
  });

  function socket(): Socket<ServerEvents, ClientEvents> {
    const one = io(cloud.url, { transports: ['websocket'], auth: { token }, forceNew: true });
    sockets.push(one);
    return one;
  }
  async function call<T>(method: string, path: string, body?: unknown): Promise<{ status: number; body: Envelope<T> }> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'close' };
    const answer = await fetch(cloud.url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: await answer.json() };
  }
  const act = (id: string, action: string, opId: string) =>
    call<{ job: string }>('POST', `/api/v1/instances/${id}/actions`, { action, opId });
  const outcome = (opId: string) => untilBody<Job>(socket(), `/api/v1/jobs/${opId}`, final);
  const shown = (id: string, test: (instance: Instance) => boolean) =>
    untilBody<Instance[]>(socket(), '/api/v1/instances', (list) => list.some((one) => one.id === id && test(one)));

  test('what virsh does behind our back is shown, and is a line', async () => {
    const [host] = lab.hosts;
    const id = await host!.defineGuest({ name: 'behind-1', running: true });
    const live = tail(socket(), { instance: id, source: 'libvirt' });
    await shown(id, (instance) => instance.state === 'running' && instance.name === 'behind-1');
    await live.started;
    await host!.virsh('suspend', id);
    await shown(id, (instance) => instance.state === 'paused');
    await live.until((lines) => lines.length > 0);
    await host!.virsh('resume', id);
    await shown(id, (instance) => instance.state === 'running');
  });

  test('a started instance boots, its QEMU log is in the stream, a forced-off one is off', async () => {
    const id = await lab.hosts[1]!.defineGuest({ name: 'boots-1', running: false });
    await shown(id, (instance) => instance.state === 'shutoff');
    const qemu = tail(socket(), { instance: id, source: 'qemu', backlog: 100 });
    await qemu.started;
    expect((await act(id, 'start', 'cloud-start-01')).status).toBe(202);
    expect((await outcome('cloud-start-01')).state).toBe('done');
    await qemu.until((lines) => lines.length > 0);
    await lab.hosts[1]!.awaitConsole('boots-1', /heartbeat/i);
    expect((await act(id, 'force-off', 'cloud-off-001')).status).toBe(202);
    expect((await outcome('cloud-off-001')).state).toBe('done');
    await shown(id, (instance) => instance.state === 'shutoff');
  });

  test('a double click starts once', async () => {
    const id = await lab.hosts[0]!.defineGuest({ name: 'double-1', running: false });
    await shown(id, (instance) => instance.state === 'shutoff');
    const same = await Promise.all(Array.from({ length: 5 }, () => act(id, 'start', 'cloud-double-1')));
    expect(same.map((answer) => answer.status)).toEqual([202, 202, 202, 202, 202]);
    const other = await act(id, 'start', 'cloud-double-2');
    const first = await outcome('cloud-double-1');
    expect(first.state).toBe('done');
    // A second start with an id of its own is refused while the first runs, or finds the instance running already.
    if (other.status === 202) expect((await outcome('cloud-double-2')).state).toBe('done');
    else expect([other.status, other.body.err]).toEqual([409, 'busy']);
    const log = readFileSync(join(lab.hosts[0]!.dir, 'log/qemu/double-1.log'), 'utf8');
    expect(log.match(/starting up libvirt version/g)).toHaveLength(1);
  });

  test('an instance named 1 is never taken for the one with id 1', async () => {
    const host = lab.hosts[1]!;
    const running = await host.defineGuest({ name: 'holder-1', running: true });
    const libvirtId = (await host.virsh('domid', running)).stdout.trim();
    const named = await host.defineGuest({ name: libvirtId, running: false });
    await shown(named, (instance) => instance.state === 'shutoff' && instance.name === libvirtId);
    await act(running, 'pause', 'cloud-named-01');
    expect((await outcome('cloud-named-01')).state).toBe('done');
    await act(named, 'start', 'cloud-named-02');
    expect((await outcome('cloud-named-02')).state).toBe('done');
    await shown(running, (instance) => instance.state === 'paused');
    await shown(named, (instance) => instance.state === 'running');
  });

  test('a frozen libvirtd leaves the other host live, and what cannot be known is unknown', async () => {
    const [frozen, healthy] = lab.hosts;
    const there = await frozen!.defineGuest({ name: 'frozen-1', running: true });
    const here = await healthy!.defineGuest({ name: 'healthy-1', running: true });
    await shown(there, (instance) => instance.state === 'running');
    await shown(here, (instance) => instance.state === 'running');
    frozen!.freezeLibvirt();
    try {
      await untilBody<Host[]>(socket(), '/api/v1/hosts', (list) =>
        list.some((host) => host.name === 'h1' && !host.libvirtAnswers),
      );
      await act(here, 'pause', 'cloud-frozen-1');
      expect((await outcome('cloud-frozen-1')).state).toBe('done');
      const instances = (await call<Instance[]>('GET', '/api/v1/instances')).body.data!;
      expect(instances.find((instance) => instance.id === there)?.name).toBe('frozen-1');
    } finally {
      frozen!.thawLibvirt();
    }
    await untilBody<Host[]>(socket(), '/api/v1/hosts', (list) => list.every((host) => host.libvirtAnswers));
    await act(there, 'pause', 'cloud-frozen-2');
    expect((await outcome('cloud-frozen-2')).state).toBe('done');
  });

  test('a host whose power is cut goes stale, keeps its last state, and comes back', async () => {
    const [host] = lab.hosts;
    const watch = socket();
    await host!.powerCut();
    await untilBody<Host[]>(watch, '/api/v1/hosts', (list) => list.find((one) => one.name === 'h1')?.state === 'stale');
    const kept = (await call<Instance[]>('GET', '/api/v1/instances')).body.data!.filter((one) => one.hostName === 'h1');
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.every((one) => one.stale)).toBe(true);
    await host!.powerOn();
    await cloud.startAgent(host!);
    await untilBody<Host[]>(
      watch,
      '/api/v1/hosts',
      (list) => list.find((one) => one.name === 'h1')?.state === 'online',
    );
  });
});
