import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { AlertsOrder } from '../../test/support/alerts-child.ts';
import { openStateStore } from '../store/sqlite/open.ts';
import { temporaryFolder } from './testing.ts';

const CHILD = join(import.meta.dirname, '..', '..', 'test', 'support', 'alerts-child.ts');

let folder: ReturnType<typeof temporaryFolder>;
let canary: Server;
let hook: string;
let ids: string[];
let onDelivery: (answer: ServerResponse) => void;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  canary = createServer((request, answer) => {
    request.resume();
    ids.push(String(request.headers['webvirt-delivery']));
    onDelivery(answer);
  });
  await new Promise<void>((done) => canary.listen(0, '127.0.0.1', done));
  hook = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/hook`;
});
afterAll(() => {
  canary.closeAllConnections();
  canary.close();
});
beforeEach(() => {
  folder = temporaryFolder();
  ids = [];
  onDelivery = (answer) => answer.end();
});
afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
  children.clear();
  folder.remove();
});

function start(killAtFire: boolean): ChildProcess {
  const order: AlertsOrder = { dir: folder.path, hook, killAtFire };
  const child = fork(CHILD, [JSON.stringify(order)], { execArgv: ['--import', 'tsx'] });
  children.add(child);
  return child;
}

function kept() {
  const state = openStateStore(join(folder.path, 'state.sqlite'));
  const events = state.rules.events({ limit: 10 }).map(({ what }) => what);
  const deliveries = state.deliveries.list({ limit: 10 }).map(({ id, state: now, tries }) => ({ id, now, tries }));
  state.close();
  return { events, deliveries };
}

const delivered = () => expect.poll(() => kept().deliveries[0]?.now, { interval: 50 }).toBe('sent');

it('killed between fire and delivery it has fired once, and delivers after the start', async () => {
  const [, signal] = (await once(start(true), 'exit')) as [number, string];
  expect(signal).toBe('SIGKILL');
  const before = kept();
  expect(before).toMatchObject({ events: ['fired'], deliveries: [{ now: 'waiting', tries: 0 }] });
  expect(ids).toEqual([]);
  await once(start(false), 'message');
  await delivered();
  expect(ids).toEqual([before.deliveries[0]!.id]);
  expect(kept().events).toEqual(['fired']);
});

it('killed while it delivers it delivers again, under the same id', async () => {
  const arrived = new Promise<void>((done) => {
    onDelivery = () => done();
  });
  const child = start(false);
  await arrived;
  child.kill('SIGKILL');
  await once(child, 'exit');
  onDelivery = (answer) => answer.end();
  await once(start(false), 'message');
  await delivered();
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
  expect(kept().events).toEqual(['fired']);
});
