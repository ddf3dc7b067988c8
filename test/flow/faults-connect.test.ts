import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabHost } from '../lab/host.ts';
import { type MigrationCloud, migrationCloud } from '../support/migration-cloud.ts';

// A target that is lost in the very moment in which libvirt of the source connects to it. The kernel would try for two
// minutes, and for a daemon that hangs there is no end at all.

/** In front of the host's own virsh: the one that begins a move says so and waits until it may go on. */
const WAITING = `#!/bin/sh
case " $* " in *" migrate "*)
  : >/var/lib/libvirt/asked
  while ! [ -e /var/lib/libvirt/go ]; do sleep 0.05; done
esac
exec /var/lib/libvirt/virsh-itself "$@"
`;

describe.skipIf(process.getuid?.() !== 0)('a target that is lost when the source connects', () => {
  let world: MigrationCloud;
  let id: string;

  beforeAll(async () => {
    world = await migrationCloud('wvx', 2, false, { WEBVIRT_AGENT_MIGRATION_CONNECT: '3s' });
    const one = world.host(1);
    const inHost = async (script: string) => {
      const done = await one.exec(['sh', '-ec', script]);
      expect(done, done.stderr).toMatchObject({ code: 0 });
    };
    await inHost('cp /usr/bin/virsh /var/lib/libvirt/virsh-itself');
    writeFileSync(join(one.dir, 'lib/virsh'), WAITING, { mode: 0o755 });
    await inHost('mount --bind /var/lib/libvirt/virsh /usr/bin/virsh');
    // As outside of the lab, where a host that is silent is not given up after seconds.
    await inHost('echo 6 >/proc/sys/net/ipv4/tcp_syn_retries');
    await world.online();
    id = await one.defineGuest({ name: 'caught' });
    await world.shown(id, ({ state }) => state === 'running');
  });
  afterAll(() => world?.stop());

  test.each<[how: string, lose: (host: LabHost) => unknown, find: (host: LabHost) => unknown]>([
    ['its daemon hangs', (host) => host.freezeLibvirt(), (host) => host.thawLibvirt()],
    ['its cable is pulled', (host) => host.disconnect(), (host) => host.reconnect()],
  ])('%s: the move ends soon, and begins at no later time', async (how, lose, find) => {
    const [one, two] = [world.host(1), world.host(2)];
    const opId = `lost-${how.replaceAll(' ', '-')}`;
    await one.exec(['sh', '-c', 'rm -f /var/lib/libvirt/asked /var/lib/libvirt/go']);
    expect((await world.move(id, two, { opId })).body.err).toBeNull();
    while (!existsSync(join(one.dir, 'lib/asked'))) await new Promise((resolve) => setTimeout(resolve, 20));
    await lose(two);
    writeFileSync(join(one.dir, 'lib/go'), '');
    const job = await world.outcome(opId);
    expect(job).toMatchObject({ state: 'unknown', error: { code: 'host-unreachable' } });
    expect(await world.really(one, id)).toBe('running');
    const lines = await world.lines(opId);
    expect(lines.some(({ message }) => message.startsWith('the move is given up: libvirt of the target'))).toBe(true);
    expect(lines.some(({ message, level }) => message.startsWith('ALARM') && level === 'error')).toBe(true);
    await find(two);
    // libvirt gets its connection now: it was told to end the move, and does.
    const after = await world.job(opId, ({ state }) => state !== 'unknown' && state !== 'running');
    expect(after).toMatchObject({ state: 'failed', error: { code: 'host-unreachable' } });
    expect(after.error?.message).toMatch(/^It runs on h1 as before\./);
    expect([await world.really(one, id), await world.really(two, id)]).toEqual(['running', null]);
    await world.online();
  });
});
