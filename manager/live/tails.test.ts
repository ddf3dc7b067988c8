import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Line, NewLine } from '../../common/model/line.ts';
import type { LinesBatch, TailRequest } from '../../common/wire/live.ts';
import { callRoute } from '../http/call-route.ts';
import { mustBeAllowed } from '../http/guard.ts';
import { hostAllowList } from '../http/host-names.ts';
import { readQuery } from '../http/query.ts';
import { canonicalPath } from '../http/request-path.ts';
import { isSocketOriginAllowed } from '../http/same-origin.ts';
import { columnsOf, lineAt } from '../store/line-columns.ts';
import { ask, startWorld, type TestSocket } from './testing.ts';

/** What a viewer has seen of one tail. */
async function tail(socket: TestSocket, request: TailRequest) {
  const waiting = new Set<() => void>();
  const seen = {
    ...{ batches: [] as LinesBatch[], lines: [] as Line[], skipped: 0, position: '' },
    messages: () => seen.lines.map((line) => line.message),
    until: (test: () => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!test()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
  socket.on('logs:lines', (batch) => {
    if (batch.id !== request.id) return;
    seen.batches.push(batch);
    seen.lines.push(...batch.lines);
    seen.skipped += batch.skipped;
    seen.position = batch.position;
    for (const look of [...waiting]) look();
  });
  const { position } = await ask<{ position: string }>(socket, 'logs:tail', request);
  seen.position ||= position;
  return seen;
}

const numbered = (from: number, count: number): Partial<NewLine>[] =>
  Array.from({ length: count }, (_, i) => ({ message: `line ${from + i}` }));
const messages = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `line ${from + i}`);

describe('a tail', () => {
  let world: Awaited<ReturnType<typeof startWorld>>;
  let socket: TestSocket;
  beforeEach(async () => {
    world = await startWorld({
      batches: { columnsOf, lineAt },
      http: { routes: [], callRoute, readQuery, canonicalPath },
      guard: { mustBeAllowed, isHostAllowed: hostAllowList([], 'm'), isOriginAllowed: isSocketOriginAllowed },
    });
    socket = await world.connect();
  });
  afterEach(async () => {
    expect(world.faults).toEqual([]);
    await world.stop();
  });

  it('drops nothing of one large commit while its viewer reads', async () => {
    const seen = await tail(socket, { id: 't' });
    world.lines.commit(numbered(0, 3_500));
    await seen.until(() => seen.lines.length + seen.skipped >= 3_500);
    expect([seen.messages(), seen.skipped]).toEqual([messages(0, 3_500), 0]);
    expect(seen.batches.map((batch) => batch.position)).toEqual(
      seen.batches.map((batch, i) => String(Number(seen.batches[i - 1]?.position ?? 0) + batch.lines.length)),
    );
  });

  it('sends lines as the store has them, whole and in order', async () => {
    const seen = await tail(socket, { id: 't' });
    const line: NewLine = {
      ...{
        tsMs: 5,
        level: 'warn',
        source: 'qemu',
        message: 'odd \u0000 \u2028 <b>',
        unit: 'u',
        job: 'j',
        session: 's',
      },
      ...{ instance: '11111111-1111-4111-8111-111111111111', fields: { a: { b: [1] } } },
    };
    world.lines.commit([line, { message: 'second' }]);
    await seen.until(() => seen.lines.length === 2);
    expect(seen.lines).toEqual(world.lines.stored);
    expect(seen.lines[0]).toMatchObject({ ...line, id: `h1.${'e'.repeat(16)}.0`, hostName: 'name-h1', receivedMs: 2 });
    expect(seen.batches).toHaveLength(1);
    expect(seen.position).toBe('2');
  });

  it('sends only what its filter lets through, whichever way it is said', async () => {
    const filters: Omit<TailRequest, 'id'>[] = [
      { q: 'disk' },
      { level: 'warn' },
      { host: 'name-h2' },
      { source: 'qemu' },
      { job: 'j1' },
      { instance: 'i1' },
      { q: '-disk /^li/ level:info', host: 'h1' },
    ];
    const seen = await Promise.all(filters.slice(0, 7).map((filter, i) => tail(socket, { id: `t${i}`, ...filter })));
    world.lines.commit([
      { message: 'DISK full', level: 'error' },
      { message: 'line', job: 'j1' },
      { message: 'line', source: 'qemu', instance: 'i1', level: 'debug' },
    ]);
    world.lines.commit([{ message: 'other host' }], 'h2');
    const expected = [[0], [0], [3], [2], [1], [2], [1]];
    await Promise.all(seen.map((one, i) => one.until(() => one.lines.length === expected[i]!.length)));
    for (const [i, one] of seen.entries())
      expect(one.lines, JSON.stringify(filters[i])).toEqual(expected[i]!.map((at) => world.lines.stored[at]));
  });

  it('refuses a filter that cannot be read, and opens nothing', async () => {
    for (const q of ['"open', 'level:loud', '/(?=x)/', '/(/'])
      await expect(ask(socket, 'logs:tail', { id: 't', q })).rejects.toMatchObject({ code: 'bad-query' });
    expect(world.live.stats().tails).toBe(0);
  });

  it('evaluates one filter once for all its viewers', async () => {
    const others = await Promise.all(Array.from({ length: 5 }, () => world.connect()));
    const seen = await Promise.all(
      others.map((other, i) => tail(other, { id: i < 3 ? 'same' : `own${i}`, q: i % 2 ? ' line ' : 'line' })),
    );
    expect(world.live.stats()).toMatchObject({ tails: 5, channels: 1 });
    world.lines.commit(numbered(0, 3));
    await Promise.all(seen.map((one) => one.until(() => one.lines.length === 3)));
  });

  it('begins with its backlog, newest last, and says so even when it is empty', async () => {
    world.lines.commit(numbered(0, 20));
    const seen = await tail(socket, { id: 't', backlog: 5 });
    await seen.until(() => seen.batches.length === 1);
    expect(seen.batches[0]).toMatchObject({ backlog: true, skipped: 0, position: '20' });
    expect(seen.messages()).toEqual(messages(15, 20));
    const none = await tail(socket, { id: 'none', q: 'absent', backlog: 5 });
    await none.until(() => none.batches.length === 1);
    expect(none.batches[0]).toMatchObject({ backlog: true, lines: [] });
  });

  it.each([false, true])('glues backlog and live lines, none lost, none twice (read late: %s)', async (late) => {
    world.lines.commit(numbered(0, 50));
    // Lines 50 to 59 come while the store is read: it saw them or not. Three viewers want different lengths.
    world.lines.readsLate = late;
    let open = () => {};
    world.lines.gate = new Promise((resolve) => {
      open = resolve;
    });
    const opening = [0, 10, 5_000].map((backlog, i) => tail(socket, { id: `t${i}`, backlog }));
    while (world.live.stats().tails < 3) await new Promise((resolve) => setImmediate(resolve));
    world.lines.commit(numbered(50, 10));
    open();
    const seen = await Promise.all(opening);
    world.lines.commit(numbered(60, 5));
    await Promise.all(seen.map((one) => one.until(() => one.lines.at(-1)?.message === 'line 64')));
    expect(seen.map((one) => one.messages())).toEqual([
      messages(50, 65),
      messages(late ? 50 : 40, 65),
      messages(0, 65),
    ]);
  });

  it('gets from the store what did not fit into the queue while the backlog was read', async () => {
    world.lines.commit(numbered(0, 10));
    let open = () => {};
    world.lines.gate = new Promise((resolve) => {
      open = resolve;
    });
    const opening = tail(socket, { id: 't', backlog: 10 });
    while (world.live.stats().tails < 1) await new Promise((resolve) => setImmediate(resolve));
    for (let i = 10; i < 3_010; i += 100) world.lines.commit(numbered(i, 100));
    open();
    const seen = await opening;
    world.lines.commit(numbered(3_010, 1));
    await seen.until(() => seen.lines.length + seen.skipped >= 3_011);
    expect([seen.messages(), seen.skipped]).toEqual([messages(0, 3_011), 0]);
  });

  it('goes on behind its position after a lost connection', async () => {
    const before = await tail(socket, { id: 't' });
    world.lines.commit(numbered(0, 10));
    await before.until(() => before.lines.length === 10);
    socket.disconnect();
    world.lines.commit(numbered(10, 10));
    const again = await world.connect();
    const after = await tail(again, { id: 't', after: before.position, backlog: 100 });
    world.lines.commit(numbered(20, 1));
    await after.until(() => after.lines.length === 11);
    expect([...before.messages(), ...after.messages()]).toEqual(messages(0, 21));
    expect(after.batches[0]!.backlog).toBeUndefined();
    // A position of another store is none: the viewer starts anew.
    const strange = await tail(again, { id: 'strange', after: '999999', backlog: 2 });
    await strange.until(() => strange.batches.length === 1);
    expect(strange.batches[0]!.backlog).toBe(true);
    expect(strange.messages()).toEqual(messages(19, 21));
  });

  it('that was away for long gets the newest lines and the number of the others', async () => {
    world.lines.commit(numbered(0, 12_000));
    const seen = await tail(socket, { id: 't', after: '1000' });
    await seen.until(() => seen.lines.length > 0);
    expect([seen.lines.length, seen.skipped]).toEqual([5_000, 6_000]);
    expect(seen.lines.at(-1)!.message).toBe('line 11999');
    world.lines.commit(numbered(0, 50_000));
    const far = await tail(socket, { id: 'far', after: '1000' });
    await far.until(() => far.lines.length > 0);
    expect(far.batches[0]).toMatchObject({ backlog: true, skipped: 56_000 });
  });

  it('asked for again under the same id begins anew, and ends when told', async () => {
    const first = await tail(socket, { id: 't', q: 'one' });
    const second = await tail(socket, { id: 't', q: 'two' });
    expect(world.live.stats().tails).toBe(1);
    world.lines.commit([{ message: 'one' }, { message: 'two' }]);
    await second.until(() => second.lines.length === 1);
    expect(first.messages()).toEqual(['two']);
    await ask(socket, 'logs:untail', { id: 't' });
    expect(world.live.stats()).toMatchObject({ tails: 0, channels: 0 });
  });
});
