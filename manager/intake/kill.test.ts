import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewLine } from '../../common/model/line.ts';
import { createIdentities } from '../../test/support/agent-identity.ts';
import { startFakeAgent } from '../../test/support/fake-agent.ts';
import type { RoadOrder } from '../../test/support/line-road-child.ts';
import { openLineStore } from '../store/duckdb/open.ts';

/** Where the program of the child is made; it finds its packages from there. */
const CHILD = resolve(import.meta.dirname, `../../.cache/test/line-road-${process.pid}.mjs`);
const line = (message: string): NewLine => ({ tsMs: Date.now(), level: 'info', source: 'agent', message });

beforeAll(async () => {
  const entry = resolve(import.meta.dirname, '../../test/support/line-road-child.ts');
  const options = { bundle: true, platform: 'node', format: 'esm', packages: 'external', target: 'node20' } as const;
  await build({ ...options, entryPoints: [entry], outfile: CHILD });
});
afterAll(() => rmSync(CHILD, { force: true }));

const gone = (child: ChildProcess) => new Promise((done) => child.once('exit', (_code, signal) => done(signal)));

/** One store, one agent; the manager is killed at this point, three times at different passes, and then left alone. */
async function survive(point: string, passes: number[], checkpointBytes = 64 * 1024 ** 2) {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-kill-'));
  const identities = await createIdentities();
  const identity = await identities.agent();
  // Small messages: many commits, and always some on their way.
  const agent = await startFakeAgent({ identity, messageBytes: 1, windowBytes: 6_000 });
  const order: RoadOrder = {
    ...{ dir, tls: identities.link, agent: { id: agent.id, port: agent.port }, kill: null, checkpointBytes },
  };
  let count = 0;
  const log = (frames: number) => {
    for (let i = 0; i < frames; i += 1) {
      const size = 1 + ((count * 7) % 30);
      agent.log(Array.from({ length: size }, (_, k) => line(`line ${count + k}`)));
      count += size;
    }
  };
  const acked = () => Math.max(0, ...agent.received.map((message) => (message.t === 'ack' ? message.next : 0)));
  const ackedAtKills: number[] = [];
  for (const pass of passes) {
    log(120);
    const child = fork(CHILD, [JSON.stringify({ ...order, kill: { at: point, pass } })]);
    // This point is in the orderly end.
    if (point === 'M10') child.once('message', () => child.send('stop'));
    expect(await gone(child)).toBe('SIGKILL');
    ackedAtKills.push(acked());
    // What the killed manager had acked is in the file, whoever reads it.
    const store = await openLineStore(join(dir, 'lines.duckdb'));
    const cursor = (await store.lines.cursors(agent.id))[0]?.next ?? 0;
    expect(cursor).toBeGreaterThanOrEqual(acked());
    expect((await store.lines.since({ host: agent.id }, 0, 1e6)).lines).toHaveLength(cursor);
    await store.close();
  }
  log(60);
  const child = fork(CHILD, [JSON.stringify(order)]);
  await agent.acked();
  child.send('stop');
  await gone(child);
  await agent.stop();
  const store = await openLineStore(join(dir, 'lines.duckdb'));
  const { lines } = await store.lines.since({ host: agent.id }, 0, 1e6);
  await store.close();
  rmSync(dir, { recursive: true });
  return { stored: lines.map((found) => [found.id.split('.')[2], found.message]), count, ackedAtKills };
}

const everyLineOnce = (count: number) => Array.from({ length: count }, (_, i) => [String(i), `line ${i}`]);

describe('a manager that is killed (L2)', () => {
  it.each([
    ['M1 received, no transaction yet', 'M1', [1, 3, 9]],
    ['M2 rows written, cursor not', 'M2', [1, 4, 8]],
    ['M3 before the commit', 'M3', [2, 3, 8]],
    ['M4 committed, ack not sent', 'M4', [1, 3, 7]],
    ['M5 ack sent, not told live', 'M5', [1, 2, 9]],
  ])('at %s: nothing acked is lost, nothing is stored twice', async (_, point, passes) => {
    const { stored, count, ackedAtKills } = await survive(point, passes);
    expect(stored).toEqual(everyLineOnce(count));
    // The kills came while lines were on their way, not after all was done.
    expect(ackedAtKills.every((acked) => acked < count)).toBe(true);
  });

  it('M10 while it ends in order: the same', async () => {
    const { stored, count } = await survive('M10', [1, 1, 1]);
    expect(stored).toEqual(everyLineOnce(count));
  });

  it('at any commit while the log is worked into the file: the same', async () => {
    // The smallest log there is: nearly every commit works it into the file (M6).
    const { stored, count } = await survive('M4', [5, 6, 7], 1);
    expect(stored).toEqual(everyLineOnce(count));
  });
});
