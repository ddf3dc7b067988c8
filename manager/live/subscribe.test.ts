import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebvirtError } from '../../common/errors.ts';
import { applyPatch } from '../../common/pure/patch/apply.ts';
import type { PatchOperation } from '../../common/wire/live.ts';
import type { callRoute } from '../http/call-route.ts';
import { mustBeAllowed } from '../http/guard.ts';
import { hostAllowList } from '../http/host-names.ts';
import { readQuery } from '../http/query.ts';
import { canonicalPath } from '../http/request-path.ts';
import { type Call, defineRoute, type Route } from '../http/route.ts';
import { isSocketOriginAllowed } from '../http/same-origin.ts';
import { columnsOf, lineAt } from '../store/line-columns.ts';
import { ask, startWorld, type TestSocket } from './testing.ts';

interface Change {
  uri: string;
  version: number;
  patch: PatchOperation[];
}

/** What a client does with a subscription: keeps the body and refuses a version that does not follow. */
async function watch(socket: TestSocket, uri: string) {
  const seen = {
    body: undefined as unknown,
    version: 0,
    changes: [] as Change[],
    until: (_test: () => boolean) => Promise.resolve(),
  };
  const waiting = new Set<() => void>();
  seen.until = (test) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!test()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  const early: Change[] = [];
  const take = (change: Change) => {
    expect(change.version).toBe(seen.version + 1);
    seen.version = change.version;
    seen.body = applyPatch(seen.body, change.patch);
    seen.changes.push(change);
    for (const look of [...waiting]) look();
  };
  socket.on('change', (change) => {
    if (change.uri !== uri) return;
    if (seen.version === 0) early.push(change);
    else take(change);
  });
  const { body, version } = await ask<{ body: unknown; version: number }>(socket, 'subscribe', { uri });
  Object.assign(seen, { body, version });
  early.forEach(take);
  return seen;
}

describe('subscribe', () => {
  let calls = 0;
  /** Every body that was ever computed: what a viewer shows must be one of them. */
  const computed = new Set<string>();
  let rows: { id: string; state: string }[] = [];
  let gate: Promise<void> = Promise.resolve();
  let fault: Error | null = null;
  let world: Awaited<ReturnType<typeof startWorld>>;
  let asked: Call['principal'][] = [];

  const base = { summary: 's', purpose: 'p', access: 'member' as const, method: 'GET' as const };
  const routes: Route[] = [
    defineRoute({
      ...base,
      path: '/api/v1/instances',
      live: { on: ['instance', 'instance-gone'] },
      async handle({ principal }) {
        calls += 1;
        asked.push(principal);
        const read = rows.map((row) => ({ ...row }));
        computed.add(JSON.stringify(read));
        await gate;
        if (fault !== null) throw fault;
        return read;
      },
    }),
    defineRoute({
      ...base,
      path: '/api/v1/instances/:id',
      live: { on: ['instance', 'instance-gone'], touches: (event, { id }) => (event as { id: string }).id === id },
      handle({ params }: Call) {
        calls += 1;
        const row = rows.find(({ id }) => id === (params as { id: string }).id);
        if (row === undefined) throw new WebvirtError('not-found');
        return { ...row };
      },
    }),
    {
      ...base,
      path: '/api/v1/mine',
      live: { on: ['token'], perPerson: true },
      handle: ({ principal }) => principal?.name,
    },
  ];
  // Parameters reach handlers only through a schema; these are plain texts.
  const call: typeof callRoute = async (route, raw) => route.handle({ ...raw, params: raw.params, query: raw.query });

  const parts = {
    batches: { columnsOf, lineAt },
    http: { routes, callRoute: call, readQuery, canonicalPath },
    guard: { mustBeAllowed, isHostAllowed: hostAllowList([], 'm'), isOriginAllowed: isSocketOriginAllowed },
  };

  beforeEach(async () => {
    [calls, fault, asked, gate] = [0, null, [], Promise.resolve()];
    rows = Array.from({ length: 100 }, (_, i) => ({ id: `i${i}`, state: 'running' }));
    world = await startWorld(parts);
  });
  afterEach(() => world.stop());

  function change(i: number, state: string): void {
    rows[i] = { ...rows[i]!, state };
    world.bus.emit('instance', { id: `i${i}`, host: 'h1' });
  }

  it('answers the body, then small patches with consecutive versions', async () => {
    const seen = await watch(await world.connect(), '/api/v1/instances');
    expect(seen.version).toBe(1);
    change(7, 'paused');
    await seen.until(() => seen.version === 2);
    expect(seen.changes[0]!.patch).toEqual([{ op: 'replace', path: '/7/state', value: 'paused' }]);
    change(8, 'paused');
    await seen.until(() => seen.version === 3);
    expect(seen.body).toEqual(rows);
  });

  it('computes once for all subscribers, at once for the first change and seldom for the rest', async () => {
    const sockets = await Promise.all(Array.from({ length: 8 }, () => world.connect()));
    const all = await Promise.all(sockets.map((socket, i) => watch(socket, `/api/v1/instances${i % 2 ? '?' : ''}`)));
    expect([calls, world.live.stats().resources]).toEqual([1, 1]);
    expect(asked[0]).toMatchObject({ role: 'admin', name: '', credentialId: '' });
    const startedMs = performance.now();
    // A burst in one step is one computation; steps that follow share the next ones.
    for (let i = 0; i < 100; i++) change(i, 'paused');
    await Promise.all(all.map((seen) => seen.until(() => seen.version === 2)));
    expect(calls).toBe(2);
    for (let round = 0; round < 50; round++) {
      change(round, `round ${round}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(all.map((seen) => seen.until(() => JSON.stringify(seen.body) === JSON.stringify(rows))));
    const elapsedMs = performance.now() - startedMs;
    expect(calls - 2).toBeLessThanOrEqual(1 + elapsedMs / 50);
  });

  it('loses no change that falls between reading and answering', async () => {
    let open = () => {};
    gate = new Promise((resolve) => {
      open = resolve;
    });
    const first = watch(await world.connect(), '/api/v1/instances');
    const second = watch(await world.connect(), '/api/v1/instances');
    while (calls === 0) await new Promise((resolve) => setImmediate(resolve));
    // The body was read before this change and is answered after it.
    change(3, 'crashed');
    open();
    for (const seen of await Promise.all([first, second])) {
      await seen.until(() => JSON.stringify(seen.body) === JSON.stringify(rows));
    }
  });

  it('keeps every viewer right while changes rain and viewers come and go', async () => {
    await world.stop();
    world = await startWorld(parts, { config: { changeGapMs: 1 } });
    const sockets = await Promise.all(Array.from({ length: 4 }, () => world.connect()));
    let raining = true;
    const rain = (async () => {
      for (let i = 0; raining; i++) {
        if (i % 7 === 0) rows = [...rows.slice(1), { id: `n${i}`, state: 'new' }];
        change(i % 100, `s${i}`);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for (let round = 0; round < 15; round++) {
      await Promise.all(
        sockets.map(async (socket) => {
          const seen = await watch(socket, '/api/v1/instances');
          await seen.until(() => seen.changes.length >= 3);
          expect(computed.has(JSON.stringify(seen.body))).toBe(true);
          socket.removeAllListeners('change');
          await ask(socket, 'unsubscribe', { uri: '/api/v1/instances' });
        }),
      );
    }
    raining = false;
    await rain;
  });

  it('stops computing with the last subscriber, by word or by going away', async () => {
    const [one, two] = [await world.connect(), await world.connect()];
    await watch(one, '/api/v1/instances');
    await watch(two, '/api/v1/instances');
    await ask(one, 'unsubscribe', { uri: '/api/v1/instances' });
    expect(world.live.stats().resources).toBe(1);
    two.disconnect();
    while (world.live.stats().sockets > 1) await new Promise((resolve) => setImmediate(resolve));
    expect(world.live.stats().resources).toBe(0);
    const before = calls;
    change(1, 'paused');
    await ask(one, 'unsubscribe', { uri: '/api/v1/instances' });
    expect(calls).toBe(before);
  });

  it('is touched only by what concerns it, and shows what has gone as nothing', async () => {
    const seen = await watch(await world.connect(), '/api/v1/instances/i5');
    change(4, 'paused');
    change(5, 'paused');
    await seen.until(() => seen.version === 2);
    expect(calls).toBe(2);
    const kept = rows;
    rows = [];
    world.bus.emit('instance-gone', { id: 'i5', host: 'h1' });
    await seen.until(() => seen.body === null);
    rows = kept;
    change(5, 'running');
    await seen.until(() => seen.body !== null);
    expect(seen.body).toEqual({ id: 'i5', state: 'running' });
  });

  it('answers the error of the route and starts anew for the next one', async () => {
    const socket = await world.connect();
    await expect(ask(socket, 'subscribe', { uri: '/api/v1/instances/none' })).rejects.toThrow('no such thing');
    fault = new Error('secret detail');
    await expect(ask(socket, 'subscribe', { uri: '/api/v1/instances' })).rejects.toThrow(
      /^Something went wrong inside/,
    );
    expect(world.live.stats().resources).toBe(0);
    fault = null;
    const seen = await watch(socket, '/api/v1/instances');
    // A fault later keeps what was known, and is tried again without another event.
    fault = new Error('for a moment');
    change(1, 'paused');
    while (world.faults.length < 2) await new Promise((resolve) => setImmediate(resolve));
    fault = null;
    await seen.until(() => seen.version === 2);
    expect(seen.body).toEqual(rows);
  });

  it('computes what depends on the person for the person', async () => {
    expect((await watch(await world.connect(), '/api/v1/mine')).body).toBe('admin@localhost');
  });
});
