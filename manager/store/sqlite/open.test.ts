import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StateStore, StoredJob } from '../ports.ts';
import { openStateStore } from './open.ts';

let dir: string;
let store: StateStore;
const path = () => join(dir, 'webvirt.sqlite');

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'webvirt-state-'));
  store = openStateStore(path());
});
afterEach(() => {
  store.close();
  rmSync(dir, { recursive: true });
});

function job(id: string, over: Partial<StoredJob> = {}): StoredJob {
  return {
    id,
    verb: 'start',
    state: 'planned',
    progress: null,
    instance: 'i1',
    instanceName: 'web',
    host: 'h1',
    hostName: 'one',
    actor: 'admin@localhost',
    createdMs: 1_000,
    startedMs: null,
    endedMs: null,
    error: null,
    result: null,
    argsHash: 'x',
    fence: 1,
    args: { force: true },
    ...over,
  };
}

describe('state store', () => {
  it('is private to its owner, synced at each commit, and comes back after it was closed', () => {
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    store.settings.put('ca-serial', '7');
    store.close();
    store = openStateStore(path());
    expect(store.settings.get('ca-serial')).toBe('7');
    expect(store.settings.get('nothing')).toBeNull();
  });

  it('refuses a file of a newer program and leaves it as it was', () => {
    store.close();
    const db = new Database(path());
    db.prepare("INSERT INTO migrations VALUES (999, 'future', 0)").run();
    db.close();
    expect(() => openStateStore(path())).toThrow(/newer WebVirt \(schema 999/);
    const again = new Database(path());
    again.prepare('DELETE FROM migrations WHERE version = 999').run();
    again.close();
    store = openStateStore(path());
    expect(store.hosts.list()).toEqual([]);
  });

  it('inserts a job once and gives the stored one to every later call', () => {
    expect(store.jobs.insert(job('op-000001')).inserted).toBe(true);
    const again = store.jobs.insert(job('op-000001', { verb: 'force-off', argsHash: 'y' }));
    expect(again.inserted).toBe(false);
    expect(again.job).toEqual(job('op-000001'));
    store.jobs.update(job('op-000001', { state: 'done', endedMs: 5 }));
    expect(store.jobs.get('op-000001')?.state).toBe('done');
    expect(store.jobs.unfinished()).toEqual([]);
  });

  it('lists jobs newest first and by what they belong to', () => {
    for (let i = 0; i < 5; i++)
      store.jobs.insert(job(`op-00000${i}`, { createdMs: 100 + i, instance: i % 2 === 0 ? 'a' : 'b' }));
    expect(store.jobs.list({ limit: 2 }).map((j) => j.id)).toEqual(['op-000004', 'op-000003']);
    expect(store.jobs.list({ limit: 9, beforeMs: 103 }).map((j) => j.createdMs)).toEqual([102, 101, 100]);
    expect(store.jobs.list({ limit: 9, instance: 'b' }).map((j) => j.createdMs)).toEqual([103, 101]);
    expect(store.jobs.list({ limit: 9, state: 'done' })).toEqual([]);
    expect(store.jobs.unfinished().map((j) => j.createdMs)).toEqual([100, 101, 102, 103, 104]);
  });

  it('forgets old jobs, except those that still run', () => {
    store.jobs.insert(job('op-000001', { createdMs: 100, state: 'done' }));
    store.jobs.insert(job('op-000002', { createdMs: 100, state: 'running' }));
    store.jobs.insert(job('op-000003', { createdMs: 200, state: 'failed' }));
    expect(store.jobs.removeEnded(200)).toBe(1);
    expect(store.jobs.list({ limit: 9 }).map((j) => j.id)).toEqual(['op-000003', 'op-000002']);
  });

  it('never gives the same fence twice, not even after a restart', () => {
    expect([store.jobs.nextFence('a'), store.jobs.nextFence('a'), store.jobs.nextFence('b')]).toEqual([1, 2, 1]);
    store.close();
    store = openStateStore(path());
    expect(store.jobs.nextFence('a')).toBe(3);
  });

  it('lets one enrolment token be used once, in time, by the agent it is bound to, and wipes the secret', () => {
    const base = { secret: 's3cret', createdBy: 'admin', createdMs: 0, expiresMs: 100, usedMs: null, usedBy: null };
    store.enrolTokens.put({ id: 't1', agent: null, ...base });
    store.enrolTokens.put({ id: 't2', agent: 'a1', ...base });
    expect(store.enrolTokens.get('t1')?.secret).toBe('s3cret');
    expect(store.enrolTokens.use('t2', 'a2', 10)).toBe(false);
    expect(store.enrolTokens.use('t2', 'a1', 100)).toBe(false);
    expect(store.enrolTokens.use('t1', 'a9', 10)).toBe(true);
    expect(store.enrolTokens.use('t1', 'a9', 10)).toBe(false);
    expect(store.enrolTokens.use('nope', 'a9', 10)).toBe(false);
    expect(store.enrolTokens.get('t1')).toMatchObject({ secret: '', usedBy: 'a9', usedMs: 10 });
    store.enrolTokens.put({ id: 't3', agent: null, ...base, createdMs: 500, expiresMs: 600 });
    expect(store.enrolTokens.get('t2')?.secret).toBe('');
  });

  it('keeps members, sessions and tokens', () => {
    store.accounts.putMember({ email: 'admin@localhost', role: 'admin', passwordHash: 'scrypt$…' });
    expect(store.accounts.member('admin@localhost')?.role).toBe('admin');
    expect(store.accounts.members()).toHaveLength(1);
    const session = { idHash: 'h', email: 'admin@localhost', csrfToken: 'c', createdMs: 1, seenMs: 1, expiresMs: 10 };
    store.accounts.putSession(session);
    expect(store.accounts.session('h')).toEqual(session);
    const token = { id: 'k', tokenHash: 'kh', name: 'ci', owner: 'admin@localhost', role: 'admin' as const };
    store.accounts.putToken({ ...token, createdMs: 1, expiresMs: null, lastUsedMs: null });
    store.accounts.touchToken('k', 44.6);
    expect(store.accounts.tokenByHash('kh')).toEqual({ ...token, createdMs: 1, expiresMs: null, lastUsedMs: 45 });
    expect(store.accounts.removeExpired(10)).toBe(1);
    expect(store.accounts.session('h')).toBeNull();
    expect(store.accounts.removeToken('k', 'other@localhost')).toBe(false);
    expect(store.accounts.removeToken('k', 'admin@localhost')).toBe(true);
    expect(store.accounts.tokens('admin@localhost')).toEqual([]);
  });

  it('keeps instances by host, and hosts, candidates and scans whole', () => {
    const id = '11111111-2222-3333-4444-555555555555';
    const instance = { id, name: 'web', state: 'running' as const, vcpus: 1, memoryBytes: 1 };
    const whole = { ...instance, autostart: false, persistent: true };
    store.instances.put('h1', whole, 7);
    store.instances.put('h2', whole, 8);
    store.instances.put('h1', { ...whole, state: 'shutoff' }, 9);
    store.instances.remove('h2', id);
    expect(store.instances.list()).toEqual([{ host: 'h1', changedMs: 9, instance: { ...whole, state: 'shutoff' } }]);
    for (let i = 0; i < 3; i++) {
      const scan = { id: `s${i}`, kind: 'whole' as const, range: '10.0.0.0/24', state: 'done' as const };
      const rest = { actor: 'schedule', startedMs: i, endedMs: i, addresses: 1, scanned: 1, up: 0, agents: 0 };
      store.scans.put({ ...scan, ...rest, error: null });
    }
    expect(store.scans.list(2).map((s) => s.id)).toEqual(['s2', 's1']);
    expect(store.candidates.get('x')).toBeNull();
  });
});
