import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Job } from '../../common/model/job.ts';
import type { Line } from '../../common/model/line.ts';
import type { MigrationChecks, MigrationResult } from '../../common/model/migration.ts';
import type { LabHost } from '../lab/host.ts';
import { ended, type MigrationCloud, migrationCloud } from '../support/migration-cloud.ts';

// Moves between two real libvirts: what a person sees of them, and what is true on both hosts afterwards.

const MIB = 1024 * 1024;

describe.skipIf(process.getuid?.() !== 0)('migrations', () => {
  let world: MigrationCloud;

  beforeAll(async () => {
    world = await migrationCloud('wvm', 2);
    await world.online();
  });
  afterAll(() => world?.stop());
  // An emulated guest that boots takes the time of those that come after it.
  afterEach(async () => {
    for (const host of world.lab.hosts)
      for (const id of (await host.virsh('list', '--uuid')).stdout.split('\n').filter(Boolean))
        await host.virsh('destroy', '--domain', id);
  });

  const resultOf = (job: Job) => job.result as unknown as MigrationResult;

  async function guest(name: string, on: LabHost, more: { autostart?: boolean; running?: boolean } = {}) {
    const id = await on.defineGuest({ name, ...more });
    await world.shown(id, ({ state }) => state === (more.running === false ? 'shutoff' : 'running'));
    return id;
  }

  test('live there and tunnelled back: runs all the time, is measured, one stream of all sides', async () => {
    const [one, two] = [world.host(1), world.host(2)];
    const id = await guest('live-1', one, { autostart: true });
    await one.awaitConsole('live-1', /heartbeat/);
    const asked = await world.move(id, two, { opId: 'move-live-01' });
    expect(asked).toMatchObject({ status: 202, body: { data: { job: { verb: 'migrate', targetName: 'h2' } } } });
    const job = await world.outcome('move-live-01');
    expect(job).toMatchObject({ state: 'done', error: null, hostName: 'h1', targetName: 'h2' });
    expect(await world.really(one, id)).toBeNull();
    expect(await world.really(two, id)).toBe('running');
    const result = resultOf(job);
    expect(result.downtimeMs).toBeGreaterThan(0);
    expect(result.totalMs).toBeGreaterThan(result.downtimeMs ?? 0);
    expect(result.memoryBytes).toBeGreaterThan(64 * MIB);
    expect(result.rounds).toBeGreaterThan(0);
    // libvirt forgets this mark in a move.
    await world.shown(id, ({ hostName, autostart }) => hostName === 'h2' && autostart);
    // The same call again is the same job.
    expect((await world.move(id, two, { opId: 'move-live-01' })).body.data?.job).toMatchObject({ state: 'done' });
    expect((await world.move(id, one, { opId: 'move-live-01' })).body.err).toBe('op-id-reused');

    await world.move(id, one, { opId: 'move-back-01', tunnelled: true });
    expect(await world.outcome('move-back-01')).toMatchObject({ state: 'done', hostName: 'h2', targetName: 'h1' });
    expect([await world.really(one, id), await world.really(two, id)]).toEqual(['running', null]);

    const lines = await world.linesUntil('move-live-01', (all) =>
      all.some(({ message }) => /reason=migrated/.test(message)),
    );
    const sides = new Set(lines.map(({ source, hostName }) => `${source} ${hostName}`.trim()));
    for (const side of ['agent h1', 'agent h2', 'libvirt h1', 'libvirt h2', 'qemu h1', 'qemu h2', 'manager', 'audit'])
      expect(sides).toContain(side);
    expect(lines.every(({ instance }) => instance === id)).toBe(true);
    expect(lines.some(({ message }) => /runs on two hosts/.test(message))).toBe(false);
  });

  test('tells how far it is, never backwards; a cancelled one runs on where it was', async () => {
    const [one, two] = [world.host(1), world.host(2)];
    const id = await guest('cancel-1', one);
    await world.move(id, two, { opId: 'move-cancel-1', maxRateBps: 8 * MIB });
    const seen: Job[] = [];
    const far = await world.job('move-cancel-1', (job) => {
      seen.push(job);
      return (job.progress ?? 0) > 0.15;
    });
    expect(far.detail).toMatchObject({ phase: 'copies memory', rounds: 1, downtimeLimitMs: 50 });
    expect(far.detail?.totalBytes).toBeGreaterThan(far.detail?.remainingBytes ?? 0);
    expect(far.detail?.rateBps).toBeGreaterThan(1 * MIB);
    const parts = seen.map(({ progress }) => progress ?? 0);
    expect(parts).toEqual(parts.toSorted((a, b) => a - b));
    // Both hosts list it.
    const jobsOf = async (host: LabHost) =>
      (await world.call<Job[]>('GET', `/api/v1/jobs?host=${await world.idOf(host)}`)).body.data?.map((job) => job.id);
    expect(await jobsOf(one)).toContain('move-cancel-1');
    expect(await jobsOf(two)).toContain('move-cancel-1');
    expect((await world.call('POST', `/api/v1/instances/${id}/actions`, { action: 'pause' })).body.err).toBe('busy');
    await world.call('DELETE', '/api/v1/jobs/move-cancel-1');
    const job = await world.outcome('move-cancel-1');
    expect(job).toMatchObject({ state: 'cancelled', error: { code: 'op-cancelled' } });
    expect([await world.really(one, id), await world.really(two, id)]).toEqual(['running', null]);
    const isDecided = ({ message }: Line) => message === 'The move is decided';
    const said = (await world.linesUntil('move-cancel-1', (all) => all.some(isDecided))).find(isDecided);
    expect(said?.fields).toMatchObject({ seenOnSource: expect.stringContaining('running'), seenOnTarget: 'not there' });
  });

  test('cold: only the definition moves, and it starts there', async () => {
    const [one, two] = [world.host(1), world.host(2)];
    const id = await guest('cold-1', one, { running: false });
    expect((await world.move(id, two, { opId: 'move-cold-00' })).body).toMatchObject({ err: 'not-movable' });
    await world.move(id, two, { opId: 'move-cold-01', live: false });
    const job = await world.outcome('move-cold-01');
    expect(job).toMatchObject({ state: 'done', result: { downtimeMs: null } });
    expect([await world.really(one, id), await world.really(two, id)]).toEqual([null, 'shut off']);
    await world.shown(id, ({ hostName }) => hostName === 'h2');
    await world.call('POST', `/api/v1/instances/${id}/actions`, { action: 'start', opId: 'start-cold-01' });
    expect(await world.outcome('start-cold-01')).toMatchObject({ state: 'done' });
    expect(await world.really(two, id)).toBe('running');
  });

  test('disks that only the source sees are copied along, into a pool of the target, and go on there', async () => {
    const [one, two] = [world.host(1), world.host(2)];
    const id = await one.defineGuest({ name: 'copied-1', running: false });
    const disk = '/var/lib/libvirt/local/copied-1.qcow2';
    const define = `cat > /tmp/copied.xml && virsh define /tmp/copied.xml && virsh start copied-1`;
    const script = `qemu-img create -q -f qcow2 ${disk} 8M && ${define}`;
    const xml = (await one.virsh('dumpxml', id)).stdout.replace('/var/lib/libvirt/images/copied-1.qcow2', disk);
    expect(await one.exec(['sh', '-c', script], { input: xml })).toMatchObject({ code: 0 });
    await one.awaitConsole('copied-1', /heartbeat/);
    await world.shown(id, ({ state }) => state === 'running');
    // libvirt makes the file on the target, and does so only in a pool of its own.
    const refused = await world.move(id, two, { copyStorage: true });
    expect(refused.body).toMatchObject({
      err: 'not-movable',
      message: expect.stringContaining('virsh pool-define-as'),
    });
    const folder = '/var/lib/libvirt/local';
    for (const words of [
      ['pool-define-as', 'local', 'dir', '--target', folder],
      ['pool-start', 'local'],
    ])
      expect(await two.virsh(...words)).toMatchObject({ code: 0 });
    await world.move(id, two, { opId: 'move-copied-1', copyStorage: true });
    const job = await world.outcome('move-copied-1');
    expect(job).toMatchObject({ state: 'done', error: null });
    expect(resultOf(job).transferredBytes).toBeGreaterThan(8 * MIB);
    expect([await world.really(one, id), await world.really(two, id)]).toEqual([null, 'running']);
    // It writes its number to the copy, and the file that it left is as it was.
    const beat = await two.awaitConsole('copied-1', /heartbeat \d+ /);
    expect(Number(/heartbeat (\d+)/.exec(beat)?.[1])).toBeGreaterThan(0);
    await two.virsh('destroy', id);
    expect(await two.exec(['qemu-img', 'check', '-q', '-f', 'qcow2', disk])).toMatchObject({ code: 0 });
    const raw = (host: LabHost) =>
      host.exec(['sh', '-c', `qemu-img convert -f qcow2 -O raw ${disk} ${folder}/raw && head -c 8 ${folder}/raw`]);
    const numbers = await Promise.all([one, two].map(async (host) => Number.parseInt((await raw(host)).stdout, 10)));
    expect(numbers[1]).toBeGreaterThanOrEqual(numbers[0] ?? Number.NaN);
  });

  test('a guest that is paused arrives paused', async () => {
    const [one, two] = [world.host(1), world.host(2)];
    const id = await guest('paused-1', one);
    await one.virsh('suspend', id);
    await world.shown(id, ({ state }) => state === 'paused');
    await world.move(id, two, { opId: 'move-paused-1' });
    expect(await world.outcome('move-paused-1')).toMatchObject({ state: 'done' });
    expect([await world.really(one, id), await world.really(two, id)]).toEqual([null, 'paused']);
  });

  test('a guest that changes its memory faster than it is copied is given up, and is unharmed', async () => {
    const [one, two] = [world.host(1), world.host(2)];
    const id = await guest('busy-1', one);
    await one.awaitConsole('busy-1', /heartbeat/);
    await world.typeInto(
      one,
      'busy-1',
      'mkdir /m; mount -t tmpfs x /m; while :; do dd if=/dev/urandom of=/m/f bs=64k count=320 conv=notrunc 2>/dev/null; done &',
    );
    await world.move(id, two, { opId: 'move-busy-01', maxRateBps: 16 * MIB, maxDowntimeMs: 1 });
    const job = await world.job('move-busy-01', (now) => ended(now));
    expect(job).toMatchObject({ state: 'failed', error: { code: 'timeout' } });
    expect(job.error?.message).toMatch(/runs on h1 as before.*faster/);
    expect([await world.really(one, id), await world.really(two, id)]).toEqual(['running', null]);
  });

  test('says before the click what is in the way', async () => {
    const [one, two] = [world.host(1), world.host(2)];
    const id = await guest('checks-1', one, { running: false });
    const ask = async () =>
      (
        await world.call<MigrationChecks>(
          'GET',
          `/api/v1/instances/${id}/migrate/checks?target=${await world.idOf(two)}`,
        )
      ).body.data!;
    expect(await ask()).toMatchObject({ movable: true, targetName: 'h2', live: false });
    const failing = async () =>
      (await ask()).checks.filter(({ verdict }) => verdict === 'fail').map(({ check }) => check);

    const xml = (await one.virsh('dumpxml', id)).stdout;
    const redefine = async (host: LabHost, change: (text: string) => string) => {
      const done = await host.exec(['sh', '-c', 'cat > /tmp/x.xml && virsh define /tmp/x.xml'], { input: change(xml) });
      expect(done.code).toBe(0);
    };
    await redefine(two, (text) => text.replace(id, '00000000-0000-4000-8000-00000000abcd'));
    await world.shown('00000000-0000-4000-8000-00000000abcd', () => true);
    expect(await failing()).toEqual(['name']);
    await two.virsh('undefine', '00000000-0000-4000-8000-00000000abcd');
    await redefine(one, (text) => text.replace("bridge='br0'", "bridge='br7'"));
    expect(await failing()).toEqual(['network']);
    await one.exec(['sh', '-c', 'qemu-img create -q -f qcow2 /var/lib/libvirt/local.qcow2 8M']);
    await redefine(one, (text) =>
      text.replace('/var/lib/libvirt/images/checks-1.qcow2', '/var/lib/libvirt/local.qcow2'),
    );
    expect(await failing()).toEqual(['disk']);
    await two.exec(['sh', '-c', 'cp /bin/true /var/lib/libvirt/local.qcow2']);
    expect(await failing()).toEqual(['disk']);
    await redefine(one, (text) => text.replace(/<cmdline>.*<\/cmdline>/, '').replace('/boot/vmlinuz', '/local.qcow2'));
    expect(await failing()).toEqual([]);
    await redefine(one, (text) => text.replace("<memory unit='KiB'>98304", "<memory unit='GiB'>4096"));
    expect((await ask()).checks.find(({ check }) => check === 'memory')?.verdict).toBe('warn');
    const same = await world.move(id, one);
    expect(same.body).toMatchObject({ err: 'not-movable', message: expect.stringContaining('already') });
    expect((await world.call('GET', `/api/v1/instances/${id}/migrate/targets`)).body.data).toHaveLength(1);
  });
});
