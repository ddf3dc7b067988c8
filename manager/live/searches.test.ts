import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Line } from '../../common/model/line.ts';
import type { LinesFound } from '../../common/wire/live.ts';
import { callRoute } from '../http/call-route.ts';
import { mustBeAllowed } from '../http/guard.ts';
import { hostAllowList } from '../http/host-names.ts';
import { readQuery } from '../http/query.ts';
import { canonicalPath } from '../http/request-path.ts';
import { isSocketOriginAllowed } from '../http/same-origin.ts';
import { columnsOf, lineAt } from '../store/line-columns.ts';
import { ask, startWorld, type TestSocket } from './testing.ts';

/** What comes of one search; `done` resolves with the last message of it. */
function listen(socket: TestSocket, id: string) {
  const seen = { lines: [] as Line[], messages: [] as LinesFound[], done: null as unknown as Promise<LinesFound> };
  seen.done = new Promise((resolve) => {
    socket.on('logs:found', (found) => {
      if (found.id !== id) return;
      seen.messages.push(found);
      seen.lines.push(...found.lines);
      if (found.done) resolve(found);
    });
  });
  return seen;
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a search over the socket', () => {
  let world: Awaited<ReturnType<typeof startWorld>>;
  let socket: TestSocket;
  let open: () => void;
  const close = () => {
    world.lines.gate = new Promise((resolve) => {
      open = resolve;
    });
  };
  beforeEach(async () => {
    world = await startWorld({
      batches: { columnsOf, lineAt },
      http: { routes: [], callRoute, readQuery, canonicalPath },
      guard: { mustBeAllowed, isHostAllowed: hostAllowList([], 'm'), isOriginAllowed: isSocketOriginAllowed },
    });
    socket = await world.connect();
    const lines = Array.from({ length: 2_500 }, (_, i) => ({ message: `line ${i}`, tsMs: i }));
    world.lines.commit(lines);
  });
  afterEach(async () => {
    expect(world.faults).toEqual([]);
    await world.stop();
  });

  it('tells its matches newest first as they are found, and how far it has looked', async () => {
    const seen = listen(socket, 's');
    expect(await ask(socket, 'logs:search', { id: 's', q: 'line', limit: 2_000 })).toBeNull();
    const last = await seen.done;
    expect(seen.lines.map(({ message }) => message)).toEqual(
      Array.from({ length: 2_000 }, (_, i) => `line ${2_499 - i}`),
    );
    expect(last).toMatchObject({ done: true, next: '2000' });
    expect(seen.messages.length).toBeGreaterThan(1);
    // Where it says that it looked, every match down to there had been told.
    let told = 0;
    for (const { lines, searchedBackToMs, done } of seen.messages) {
      told += lines.length;
      if (searchedBackToMs !== null && !done) expect(2_500 - told).toBeLessThanOrEqual(searchedBackToMs);
    }
    const none = listen(socket, 'none');
    await ask(socket, 'logs:search', { id: 'none', q: 'absent' });
    expect(await none.done).toMatchObject({ lines: [], next: null, searchedBackToMs: null });
  });

  it('ends when it is cancelled, replaced, or when its viewer goes', async () => {
    close();
    const seen = listen(socket, 's');
    await ask(socket, 'logs:search', { id: 's' });
    while (world.lines.searching < 1) await turn();
    await ask(socket, 'logs:cancel', { id: 's' });
    while (world.lines.calledOff < 1) await turn();
    await ask(socket, 'logs:search', { id: 's', q: 'line 1' });
    while (world.lines.searching < 1) await turn();
    await ask(socket, 'logs:search', { id: 's', q: '"line 24"' });
    while (world.lines.calledOff < 2) await turn();
    const other = await world.connect();
    await ask(other, 'logs:search', { id: 's' });
    while (world.lines.searching < 2) await turn();
    other.disconnect();
    while (world.lines.calledOff < 3) await turn();
    open();
    await seen.done;
    expect(seen.lines.every(({ message }) => message.startsWith('line 24'))).toBe(true);
    expect(seen.messages.filter(({ done }) => done)).toHaveLength(1);
  });

  it('ends when its credential does', async () => {
    close();
    await ask(socket, 'logs:search', { id: 's' });
    while (world.lines.searching < 1) await turn();
    world.bus.emit('credential-ended', { credentialId: 'token-1' });
    while (world.lines.calledOff < 1) await turn();
    open();
  });

  it('runs few at a time, and refuses more than one connection may have', async () => {
    close();
    for (const id of ['a', 'b', 'c', 'd']) await ask(socket, 'logs:search', { id });
    await expect(ask(socket, 'logs:search', { id: 'e' })).rejects.toMatchObject({ code: 'too-many-requests' });
    const other = await world.connect();
    const waits = listen(other, 'w');
    await ask(other, 'logs:search', { id: 'w', limit: 10 });
    await turn();
    expect(world.lines.searching).toBe(4);
    await ask(socket, 'logs:cancel', { id: 'b' });
    open();
    await waits.done;
    expect(waits.lines).toHaveLength(10);
    // All are over: there is room again.
    const again = listen(socket, 'e');
    await ask(socket, 'logs:search', { id: 'e', limit: 1 });
    await again.done;
  });

  it('refuses what cannot be read, at once', async () => {
    for (const q of ['"open', 'level:loud', '/(?=x)/', 'a\0b'])
      await expect(ask(socket, 'logs:search', { id: 's', q })).rejects.toMatchObject({ code: 'bad-query' });
    const wrong = [{ limit: 0 }, { limit: 5_001 }, { from: 2, to: 1 }, { from: 'x' }, { id: '' }, { from: 1e18 }];
    for (const request of wrong)
      await expect(ask(socket, 'logs:search', { id: 's', ...request })).rejects.toMatchObject({ code: 'bad-request' });
    const crawler = await world.connect({ auth: { token: 'wv_crawler' } });
    await expect(ask(crawler, 'logs:search', { id: 's' })).rejects.toMatchObject({ code: 'forbidden' });
    expect(world.lines.searching).toBe(0);
  });
});
