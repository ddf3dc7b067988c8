import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabHost } from './host.ts';
import { createLab, type Lab } from './lab.ts';
import { line, NOTHING, traces } from './traces.ts';

const ROOT = process.getuid?.() === 0;
const NAME = `wvt-${process.pid}`;
const OTHER = `wvu-${process.pid}`;

/** The numbers of the heartbeats in a text. */
const beats = (text: string) => [...text.matchAll(/heartbeat (\d+) /g)].map((match) => Number(match[1]));

/** Asks libvirt until the guest is in the state; the time limit of the test ends it otherwise. */
async function untilState(host: LabHost, uuid: string, state: string): Promise<void> {
  while ((await host.virsh('domstate', '--domain', uuid)).stdout.trim() !== state);
}

describe.skipIf(!ROOT)('the lab', () => {
  const lab: Lab = createLab({ name: NAME, hosts: 2 });
  const other: Lab = createLab({ name: OTHER, hosts: 2, locks: true });
  let h1: LabHost;
  let h2: LabHost;
  let guest: string;

  beforeAll(async () => {
    await Promise.all([lab.up(), other.up()]);
    [h1, h2] = lab.hosts as [LabHost, LabHost];
    guest = await h1.defineGuest({ name: 'alpha' });
  });
  afterAll(async () => {
    await Promise.all([lab.down(), other.down()]);
  });

  test('hosts are machines of their own', async () => {
    for (const host of lab.hosts) {
      expect((await host.exec(['hostname'])).stdout.trim()).toBe(host.name);
      expect((await host.virsh('capabilities')).stdout).toContain(`<uuid>${host.uuid}</uuid>`);
      expect((await host.exec(['cat', '/etc/machine-id'])).stdout.trim()).toBe(host.uuid.replaceAll('-', ''));
      expect((await host.exec(['ls', '/sys/class/net'])).stdout).not.toContain('wv-bridge');
    }
    expect(h1.uuid).not.toBe(h2.uuid);
    expect((await h2.virsh('list', '--all', '--uuid')).stdout.trim()).toBe('');
  });

  test('there is no way out of any namespace', async () => {
    for (const place of [lab, ...lab.hosts]) {
      expect((await place.exec(['ip', '-4', 'route', 'show', 'default'])).stdout).toBe('');
      expect((await place.exec(['ip', '-6', 'route', 'show', 'default'])).stdout).toBe('');
      expect((await place.exec(['ip', '-4', 'route'])).stdout.trim().split('\n')).toHaveLength(1);
    }
  });

  test('a second lab has the same addresses and other machines', async () => {
    expect(other.hosts[0]!.address).toBe(h1.address);
    expect(other.hosts[0]!.uuid).not.toBe(h1.uuid);
    expect((await other.hosts[0]!.virsh('list', '--all', '--uuid')).stdout.trim()).toBe('');
    await expect(createLab({ name: NAME }).up()).rejects.toThrow(/used by process/);
    expect((await lab.status()).hosts.every((host) => host.running)).toBe(true);
  });

  test('what one host writes to the shared folder the other sees at once', async () => {
    const path = '/var/lib/libvirt/images/note';
    const look = () => h1.exec(['stat', '--format=%s', path]);
    expect((await look()).code).not.toBe(0);
    for (const size of [0, 5, 3]) {
      await h2.exec(['tee', path], { input: 'x'.repeat(size) });
      expect((await look()).stdout.trim()).toBe(String(size));
    }
  });

  test('a guest boots, moves to the other host alive, and back', async () => {
    await h1.awaitConsole('alpha', /heartbeat 1 /);
    const move = (from: LabHost, to: LabHost) => {
      const flags = ['--live', '--p2p', '--persistent', '--undefinesource', '--abort-on-error'];
      return from.virsh('migrate', ...flags, guest, `qemu+tcp://${to.address}/system`);
    };
    expect(await move(h1, h2)).toMatchObject({ code: 0 });
    expect((await h1.virsh('list', '--all', '--uuid')).stdout.trim()).toBe('');
    expect((await h2.virsh('list', '--uuid')).stdout.trim()).toBe(guest);
    // It goes on counting: had it booted again, the first number here would be 1.
    expect(beats(await h2.awaitConsole('alpha', /heartbeat/))[0]).toBeGreaterThan(1);
    expect(await move(h2, h1)).toMatchObject({ code: 0 });
  });

  test('its disk holds what it wrote on both hosts', async () => {
    expect(await h1.virsh('suspend', '--domain', guest)).toMatchObject({ code: 0 });
    const last = Math.max(...[h1, h2].flatMap((host) => beats(readFileSync(host.consoleLog('alpha'), 'utf8'))));
    const [image, raw] = [join(lab.imagesDir, 'alpha.qcow2'), join(lab.dir, 'alpha.raw')];
    expect(await lab.exec(['qemu-img', 'check', '-U', '-q', '-f', 'qcow2', '--', image])).toMatchObject({ code: 0 });
    await lab.exec(['qemu-img', 'convert', '-U', '-f', 'qcow2', '-O', 'raw', '--', image, raw]);
    const disk = readFileSync(raw);
    // The last heartbeat is printed before it is written.
    const places = Array.from({ length: last - 1 }, (_, i) => i + 1);
    expect(last).toBeGreaterThan(1);
    expect(places.map((n) => Number.parseInt(disk.toString('latin1', n * 65_536, n * 65_536 + 8), 10))).toEqual(places);
    await h1.virsh('resume', '--domain', guest);
  });

  test('with locks a disk in use on one host is refused on the other', async () => {
    const [one, two] = other.hosts as [LabHost, LabHost];
    const uuid = await one.defineGuest({ name: 'alpha' });
    const xml = (await one.virsh('dumpxml', '--inactive', uuid)).stdout;
    const twin = xml.replace(uuid, '5b1f7d0a-0000-4000-8000-000000000001').replace('<name>alpha<', '<name>twin<');
    // The shared folder is the way from host to host.
    await two.exec(['tee', '/var/lib/libvirt/images/twin.xml'], { input: twin });
    await two.virsh('define', '--file', '/var/lib/libvirt/images/twin.xml');
    const started = await two.virsh('start', 'twin');
    expect(started.code).not.toBe(0);
    expect(started.stderr).toMatch(/is locked/);
    await one.virsh('destroy', uuid);
    expect(await two.virsh('start', 'twin')).toMatchObject({ code: 0 });
    await two.virsh('destroy', 'twin');
  });

  test('a frozen libvirt leaves the other host answering', async () => {
    h2.freezeLibvirt();
    await expect(h2.exec(['virsh', 'list'], { timeoutMs: 500 })).rejects.toThrow(/did not end/);
    expect((await h1.virsh('list', '--uuid')).stdout.trim()).toBe(guest);
    h2.thawLibvirt();
    expect(await h2.virsh('list')).toMatchObject({ code: 0 });
  });

  test('guests outlive a restart of libvirt', async () => {
    await h1.restartLibvirt();
    expect((await h1.virsh('list', '--uuid')).stdout.trim()).toBe(guest);
    await h1.restartLibvirt('SIGKILL');
    expect((await h1.virsh('list', '--uuid')).stdout.trim()).toBe(guest);
  });

  test('a guest hears the power button: it reboots, and it shuts down', async () => {
    const count = (pattern: RegExp) => readFileSync(h1.consoleLog('alpha'), 'utf8').match(pattern)?.length ?? 0;
    const boots = count(/boot: ready/g);
    const growth = watch(h1.consoleLog('alpha'));
    await h1.virsh('reboot', '--domain', guest);
    for await (const _ of growth) if (count(/boot: ready/g) > boots) break;
    await h1.virsh('shutdown', '--domain', guest);
    await untilState(h1, guest, 'shut off');
    expect(count(/power button pressed/g)).toBe(2);
  });

  test('a power cut takes everything with it, and the host comes back with its guests', async () => {
    // libvirt does not take the autostart mark along in a migration.
    await h1.virsh('autostart', '--domain', guest);
    const child = h1.spawn(['sleep', '1000']);
    const ended = once(child, 'exit');
    await h1.powerCut();
    await ended;
    expect((await lab.status()).hosts.map((host) => host.running)).toEqual([false, true]);
    await expect(h1.virsh('list')).rejects.toThrow(/h1 is not running/);
    await h1.powerOn();
    expect((await lab.status()).hosts.map((host) => host.running)).toEqual([true, true]);
    await untilState(h1, guest, 'running');
  });

  test('signals reach a program inside a host, and orphans are reaped', async () => {
    const script = 'trap "exit 7" TERM; (sleep 0.01 & exec true); echo ready; while :; do sleep 0.01; done';
    const child = h2.spawn(['sh', '-c', script]);
    await line(child, 'ready');
    const ended = once(child, 'exit');
    child.kill();
    expect(await ended).toEqual([7, null]);
    const stats = async () => (await h2.exec(['ps', '-A', '-o', 'stat='])).stdout;
    while ((await stats()).includes('Z'));
  });

  test('a port of the machine leads into the lab', async () => {
    const code = `require('http').createServer((q, s) => s.end('from inside')).listen(0, '127.0.0.1', function () {
      console.log(this.address().port) })`;
    const server = lab.spawn([process.execPath, '-e', code]);
    const [port] = (await once(createInterface({ input: server.stdout! }), 'line')) as [string];
    const forward = await lab.forward(Number(port), 0);
    const answer = await fetch(`http://127.0.0.1:${forward.port}/`);
    expect(await answer.text()).toBe('from inside');
    await forward.stop();
    await expect(fetch(`http://127.0.0.1:${forward.port}/`)).rejects.toThrow();
  });

  test('down leaves nothing, and it can be built again', async () => {
    expect(traces(NAME).processes).not.toEqual([]);
    await lab.down();
    expect(traces(NAME)).toEqual(NOTHING);
    await lab.up();
    expect(await lab.hosts[0]!.virsh('list', '--all', '--uuid')).toMatchObject({ code: 0, stdout: '\n' });
    await lab.down();
    expect(traces(NAME)).toEqual(NOTHING);
  });
});
