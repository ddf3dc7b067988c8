import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../common/model/job.ts';
import type { Line } from '../../common/model/line.ts';
import type { HostResources } from '../../common/model/resources.ts';
import { registerTiny } from '../lab/register-tiny.ts';
import { tail } from '../support/live.ts';
import { type MigrationCloud, migrationCloud } from '../support/migration-cloud.ts';

// The serial console of one instance as one stream of lines: from its launch to after its end.

const HEARTBEAT = /^heartbeat (\d+) \S+ up=/;

describe.skipIf(process.getuid?.() !== 0)('the console of an instance, its whole life', () => {
  let world: MigrationCloud;
  beforeAll(async () => {
    world = await migrationCloud('wvl', 2);
    await world.online();
    await registerTiny(world.lab, world.cloud);
    const one = await world.idOf(world.host(1));
    const has = ({ images }: HostResources) => images.some(({ name }) => name === 'tiny');
    await world.until<HostResources>(`/api/v1/hosts/${one}/resources`, has);
  });
  afterAll(() => world?.stop());

  const beats = (lines: Line[]) => lines.flatMap(({ message }) => HEARTBEAT.exec(message)?.[1] ?? []).map(Number);
  /** How often the guest has begun to count anew. */
  const boots = (lines: Line[]) => lines.filter(({ message }) => /boot: ready/.test(message)).length;
  /** How far it has counted since it booted for the nth time; 0: it has not booted as often, or said nothing since. */
  const countedIn = (boot: number, lines: Line[]) => {
    if (boots(lines) < boot) return 0;
    return beats(lines.slice(lines.findLastIndex(({ message }) => /boot: ready/.test(message)))).at(-1) ?? 0;
  };

  it('is there through reboot, power-off, start and a live move, marked, whole, and after the instance is deleted', async () => {
    const [one, two] = [world.host(1), world.host(2)];
    const host = await world.idOf(one);
    const asked = { name: 'lives', base: 'tiny', vcpus: 1, memoryBytes: 96 * 2 ** 20, network: 'br0', host };
    const launched = await world.call<{ job: Job }>('POST', '/api/v1/instances', { ...asked, opId: 'lives-launch-1' });
    expect(launched.body).toMatchObject({ err: null });
    const end = await world.outcome(launched.body.data!.job.id);
    expect(end).toMatchObject({ state: 'done' });
    const id = end.instance!;
    const live = tail(world.socket(), { instance: id, source: 'console', backlog: 500 });
    await live.started;
    await live.until((lines) => beats(lines).length >= 2);

    await one.virsh('reset', id);
    await live.until((lines) => countedIn(2, lines) >= 2);
    await one.virsh('destroy', id);
    await world.shown(id, ({ state }) => state === 'shutoff');
    await one.virsh('start', id);
    await live.until((lines) => countedIn(3, lines) >= 3);

    await world.move(id, two, { opId: 'lives-move-0001' });
    expect(await world.outcome('lives-move-0001')).toMatchObject({ state: 'done' });
    const isMarker = ({ fields }: Line) => fields?.['marker'] === 'moved';
    const all = await live.until((lines) => {
      const at = lines.findIndex(isMarker);
      return at >= 0 && beats(lines.slice(at)).length >= 3;
    });
    const at = all.findIndex(isMarker);
    expect(all[at]).toMatchObject({ hostName: 'h2', message: 'The console goes on on host h2', unit: 'lives' });
    // What libvirt told of its life is marked, once each.
    const turns = all.flatMap(({ fields }) => fields?.['marker'] ?? []);
    expect(turns.slice(turns.indexOf('reset'))).toEqual(['reset', 'started', 'moved']);
    expect(new Set(all.slice(0, at).map(({ hostName }) => hostName))).toEqual(new Set(['h1']));
    expect(new Set(all.slice(at).map(({ hostName }) => hostName))).toEqual(new Set(['h2']));
    // Counted without a hole and without a repetition, across the move too; each boot counts anew.
    const numbers = beats(all);
    for (const [index, number] of numbers.entries())
      if (number !== 1) expect([index, number]).toEqual([index, (numbers[index - 1] ?? 0) + 1]);
    expect(numbers.filter((number) => number === 1).length).toBe(3);

    const gone = await world.call<{ job: Job }>('DELETE', `/api/v1/instances/${id}?name=lives&force=true`);
    expect(await world.outcome(gone.body.data!.job.id)).toMatchObject({ state: 'done' });
    const after = await world.call<{ lines: Line[] }>('GET', `/api/v1/logs?instance=${id}&source=console&limit=1000`);
    const found = after.body.data!.lines.map((line) => line.id);
    expect(new Set(found).size).toBe(found.length);
    for (const line of all) expect(found).toContain(line.id);
  });
});
