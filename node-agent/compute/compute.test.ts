import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { NewLine } from '../../common/model/line.ts';
import type { AgentServiceMessage, ComputeRequest, SentEvent } from '../../common/wire/services.ts';
import { type FakeComputeServer, startFakeComputeServer } from '../../test/support/fake-compute-server.ts';
import { COMPUTE_DEFAULTS, createCompute } from './compute.ts';

type Of<T extends AgentServiceMessage['t']> = Extract<AgentServiceMessage, { t: T }>;

let folder: string;
let server: FakeComputeServer;
let stops: (() => unknown)[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wv-agent-'));
  server = await startFakeComputeServer(join(folder, 'compute.sock'));
  stops = [() => server.stop()];
});
afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The agent's side on the fake server; the test is the manager. */
async function agent(caps: Partial<typeof COMPUTE_DEFAULTS.caps> = {}, over: Partial<typeof COMPUTE_DEFAULTS> = {}) {
  const lines: NewLine[] = [];
  const waiting = new Set<() => void>();
  const compute = createCompute(
    {
      ...{ ...COMPUTE_DEFAULTS, ...over, caps: { ...COMPUTE_DEFAULTS.caps, ...caps } },
      socketPath: join(folder, 'compute.sock'),
    },
    {
      emit(line) {
        lines.push(line);
        for (const look of [...waiting]) look();
      },
      ...{ log: { info: () => {}, warn: () => {} } as never, now: Date.now },
    },
  );
  stops.push(compute.stop);
  compute.start();
  const said = (message: string, cell?: number) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (lines.some((line) => line.message === message && line.fields?.['cell'] === cell)) resolve();
      };
      waiting.add(look);
      look();
    });
  const world = { lines, said, compute, link: () => link(compute.service) };
  const first = world.link();
  await first.until((messages) => messages.some((m) => m.t === 'compute-server' && m.server.state === 'ready'));
  return { ...world, first };
}

function link(service: ReturnType<typeof createCompute>['service']) {
  const messages: AgentServiceMessage[] = [];
  const waiting = new Set<() => void>();
  const attached = service.attach((message) => {
    messages.push(message);
    for (const look of [...waiting]) look();
  });
  const of = <T extends AgentServiceMessage['t']>(t: T) => messages.filter((m): m is Of<T> => m.t === t);
  return {
    ...{ messages, of },
    cut: () => attached.detach(),
    ask: (session: string, request: ComputeRequest) => attached.take({ t: 'compute', session, request }),
    ack: (session: string, next: number) => attached.take({ t: 'compute-ack', session, next }),
    events: (session: string): SentEvent[] =>
      of('compute-events').flatMap((m) => (m.session === session ? m.events : [])),
    until: (test: (messages: AgentServiceMessage[]) => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!test(messages)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}
type Link = ReturnType<typeof link>;

const ID = 'session-1';
const OPEN: ComputeRequest = { op: 'open', kernel: 'python', owner: 'me' };
const ended = (on: Link, cell: number) =>
  on.until(() => on.events(ID).some(({ event }) => event.type === 'ended' && event.cell === cell));
const ns = (events: SentEvent[]) => events.map(({ n }) => n);

it('repeats what was not acked over the next link under the same numbers, from where the manager says', async () => {
  const { first, link: dial, said } = await agent();
  first.ask(ID, OPEN);
  first.ask(ID, { op: 'execute', cell: 1, code: 'say a\nvalue b' });
  await ended(first, 1);
  const before = first.events(ID);
  expect(ns(before)).toEqual([0, 1, 2, 3]);
  first.cut();
  const second = dial();
  expect(second.of('compute-sessions')).toEqual([
    { t: 'compute-sessions', list: [{ session: ID, next: 4, cells: 1 }] },
  ]);
  expect(second.of('compute-opened')).toEqual([{ t: 'compute-opened', session: ID, error: null }]);
  // Where to go on is not known yet: nothing of an older session is sent.
  second.ask(ID, { op: 'execute', cell: 2, code: 'value 1' });
  await said('Cell ended', 2);
  expect(second.events(ID)).toEqual([]);
  second.ack(ID, 2);
  await ended(second, 2);
  expect(second.events(ID).slice(0, 2)).toEqual(before.slice(2));
  expect(ns(second.events(ID))).toEqual([2, 3, 4, 5, 6]);
});

it('never runs a cell twice', async () => {
  const { first } = await agent();
  first.ask(ID, OPEN);
  for (let i = 0; i < 3; i += 1) first.ask(ID, { op: 'execute', cell: 1, code: 'say a' });
  first.ask(ID, { op: 'execute', cell: 2, code: 'say b' });
  await ended(first, 2);
  expect(server.runs.map(({ cell }) => cell)).toEqual([1, 2]);
});

it('sends no more than a window ahead of the acks, and the rest as they come', async () => {
  const { first, said } = await agent();
  first.ask(ID, OPEN);
  first.ask(ID, { op: 'execute', cell: 1, code: 'flood 3000 1000' });
  const bytes = () => JSON.stringify(first.events(ID)).length;
  await said('Cell ended', 1);
  expect(bytes()).toBeGreaterThan(800_000);
  expect(bytes()).toBeLessThan(1_400_000);
  let acked = 0;
  while (!first.events(ID).some(({ event }) => event.type === 'ended')) {
    const next = first.events(ID).length;
    if (next > acked) {
      acked = next;
      first.ack(ID, next);
    } else await new Promise((resolve) => setImmediate(resolve));
  }
  const all = first.events(ID);
  expect(ns(all)).toEqual(all.map((_, i) => i));
  const text = all.map(({ event }) => (event.type === 'stdout' ? event.text : '')).join('');
  expect(text.split('\n').length).toBe(3_001);
});

it('bounds what waits while the manager is away, and says what is missing', async () => {
  const { first, link: dial, said } = await agent({ waitingBytes: 200_000 });
  first.ask(ID, OPEN);
  first.ask(ID, { op: 'execute', cell: 1, code: 'say first' });
  await ended(first, 1);
  first.ask(ID, { op: 'execute', cell: 2, code: 'wait\nflood 2000 1000\nvalue last' });
  await said('Cell begun', 2);
  first.cut();
  server.release(ID);
  await said('Cell ended', 2);
  const second = dial();
  second.ack(ID, 3);
  await ended(second, 2);
  const events = second.events(ID).map(({ event }) => event);
  const skipped = events.flatMap((event) => (event.type === 'skipped' ? [event.bytes] : []));
  const kept = events.reduce((sum, event) => sum + (event.type === 'stdout' ? event.text.length : 0), 0);
  expect(skipped.length).toBeGreaterThan(0);
  expect(kept).toBeLessThan(220_000);
  expect(kept + skipped.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThan(2_000_000);
  expect(events.at(-2)).toMatchObject({ type: 'result' });
  expect(ns(second.events(ID))).toEqual(second.events(ID).map((_, i) => i + ns(second.events(ID))[0]!));
});

it('tells of a death that only it saw, and forgets the session once that is acked', async () => {
  const { first, link: dial, lines, said } = await agent();
  first.ask(ID, OPEN);
  first.ask(ID, { op: 'execute', cell: 1, code: 'wait' });
  first.ask(ID, { op: 'execute', cell: 2, code: 'say never' });
  await server.until(({ cell }) => cell === 2);
  await first.until(() => first.events(ID).length > 0);
  await server.stop();
  await first.until(() => first.events(ID).some(({ event }) => event.type === 'died'));
  expect(first.events(ID).map(({ event }) => (event.type === 'ended' ? event.status : event.type))).toEqual([
    'started',
    'died',
    'interrupted',
    'died',
  ]);
  await said('Computation session ended');
  expect(lines.at(-1)).toMatchObject({
    level: 'warn',
    session: ID,
    source: 'compute',
    fields: { cause: 'server-gone' },
  });
  first.cut();
  const second = dial();
  expect(second.of('compute-sessions')[0]?.list).toHaveLength(1);
  second.ack(ID, 4);
  second.cut();
  expect(dial().of('compute-sessions')[0]?.list).toEqual([]);
  await server.start();
});

it('refuses a session while there is no server, with the reason', async () => {
  const { first } = await agent();
  await server.stop();
  await first.until(() => first.of('compute-server').at(-1)?.server.state === 'absent');
  first.ask(ID, OPEN);
  expect(first.of('compute-opened')).toEqual([
    { t: 'compute-opened', session: ID, error: { code: 'no-kernel', message: 'The compute server ended' } },
  ]);
  await server.start();
  await first.until(() => first.of('compute-server').at(-1)?.server.state === 'ready');
});

it('lets go of a server that hangs, and says so', async () => {
  const { first } = await agent({}, { pingEveryMs: 20, silenceMs: 2_000 });
  first.ask(ID, OPEN);
  first.ask(ID, { op: 'execute', cell: 1, code: 'wait' });
  await first.until(() => first.events(ID).length > 0);
  // It answers, so it is kept, however long it has nothing to say.
  await server.until(({ op, id }) => op === 'ping' && id === 125);
  expect(first.events(ID)).toHaveLength(1);
  server.hang();
  await first.until(() => first.events(ID).some(({ event }) => event.type === 'died'));
  expect(first.events(ID).at(-1)?.event).toMatchObject({
    death: { cause: 'server-gone', text: expect.stringContaining('it said nothing for 2 s') },
  });
});
