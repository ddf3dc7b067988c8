import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerEvents } from '../../common/wire/live.ts';
import { type MigrationCloud, migrationCloud } from '../support/migration-cloud.ts';

type State = Parameters<ServerEvents['console:state']>[0];

// One console that goes with its instance from host to host.

describe.skipIf(process.getuid?.() !== 0)('a serial console during a move', () => {
  let world: MigrationCloud;
  beforeAll(async () => {
    world = await migrationCloud('wvs', 2);
    await world.online();
  });
  afterAll(() => world?.stop());

  it('ends on the one host, is open on the other by itself, and the shell is the same', async () => {
    const [one, two] = [world.host(1), world.host(2)];
    const id = await one.defineGuest({ name: 'goes-1' });
    await world.shown(id, ({ state }) => state === 'running');
    await one.awaitConsole('goes-1', /heartbeat/);
    const socket = world.socket();
    const states: State[] = [];
    let text = '';
    const looks = new Set<() => void>();
    const heard = () => {
      for (const look of looks) look();
    };
    const until = (holds: () => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => holds() && resolve();
        looks.add(look);
        look();
      });
    socket.on('console:state', (state) => {
      states.push(state);
      heard();
    });
    socket.on('console:data', ({ data }) => {
      text += Buffer.from(data, 'base64').toString();
      heard();
    });
    const opened = await socket.emitWithAck('console:open', { instance: id, write: true });
    const name = opened.data!.console;
    const type = (data: string) => socket.emitWithAck('console:input', { console: name, data });
    await until(() => states.some(({ ended }) => ended === null));
    await type('\r');
    await until(() => text.includes('/ # '));
    await type('kept=here\r');

    await world.move(id, two, { opId: 'move-console-01' });
    expect(await world.outcome('move-console-01')).toMatchObject({ state: 'done' });
    await until(() => states.at(-1)?.hostName === 'h2' && states.at(-1)?.ended === null);
    text = '';
    await type('echo "still $kept"\r');
    await until(() => text.includes('still here'));
    const [first, ...rest] = states;
    expect(first).toMatchObject({ hostName: 'h1', ended: null });
    // It was told that it ended, and is open again on the other host; what is in between are tries.
    expect(rest.some(({ ended }) => ended !== null)).toBe(true);
  });
});
