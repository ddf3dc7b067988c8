import { afterEach, describe, expect, it } from 'vitest';
import { type Edge, PASSWORD, startEdge } from '../../test/support/edge.ts';
import { createTryLimit } from './try-limit.ts';

let edge: Edge;
let nowMs = 1_000_000;
afterEach(() => edge?.stop());

async function fresh() {
  nowMs = 1_000_000;
  edge = await startEdge({ now: () => nowMs });
}

const tryPassword = (email: string, password: string, from = '127.0.0.1') =>
  edge.ask('/api/v1/sign-in', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email, password }),
    from,
  });

describe('guessing', () => {
  it('gets ten tries of a thousand, then waits longer and longer', async () => {
    await fresh();
    const statuses: number[] = [];
    for (let i = 0; i < 1000; i++) statuses.push((await tryPassword('admin@localhost', `wrong ${i}`)).status);
    expect(statuses.slice(0, 10).every((status) => status === 401)).toBe(true);
    expect(statuses.slice(10).every((status) => status === 429)).toBe(true);
    // A flood of refusals is one line of the log.
    expect(edge.audits.filter(({ message }) => message.startsWith('sign-in refused'))).toHaveLength(1);
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      const refused = await tryPassword('admin@localhost', 'wrong');
      expect(refused.json.err).toBe('too-many-requests');
      waits.push(Number(refused.headers['retry-after']));
      nowMs += waits.at(-1)! * 1000;
      expect((await tryPassword('admin@localhost', 'wrong')).status).toBe(401);
    }
    expect(waits).toEqual([60, 120, 240, 480]);
  });

  it('is counted for an address whatever accounts it tries', async () => {
    await fresh();
    for (let i = 0; i < 10; i++) expect((await tryPassword(`user${i}@x`, 'wrong')).status).toBe(401);
    expect((await tryPassword('somebody@x', 'wrong')).status).toBe(429);
    expect((await tryPassword('admin@localhost', PASSWORD)).status).toBe(429);
    expect((await tryPassword('admin@localhost', PASSWORD, '127.0.0.2')).status).toBe(200);
  });

  it('of others never locks the admin out, and gets one try from each new address', async () => {
    await fresh();
    expect((await tryPassword('admin@localhost', PASSWORD, '127.0.1.1')).status).toBe(200);
    for (let i = 1; i <= 20; i++) await tryPassword('ADMIN@localhost ', 'wrong', `127.0.2.${i}`);
    // From a place that never signed in: a single try, and the right one gets in.
    expect((await tryPassword('admin@localhost', 'wrong', '127.0.3.1')).status).toBe(401);
    expect((await tryPassword('admin@localhost', 'wrong', '127.0.3.1')).status).toBe(429);
    expect((await tryPassword('admin@localhost', PASSWORD, '127.0.4.1')).status).toBe(200);
    // From a known place all is as ever, mistakes included.
    expect((await tryPassword('admin@localhost', 'wrong', '127.0.1.1')).status).toBe(401);
    expect((await tryPassword('admin@localhost', 'wrong', '127.0.1.1')).status).toBe(401);
    expect((await tryPassword('admin@localhost', PASSWORD, '127.0.1.1')).status).toBe(200);
  });

  it('reads the same answer for a member and for nobody', async () => {
    await fresh();
    const [member, nobody] = [await tryPassword('admin@localhost', 'wrong'), await tryPassword('nobody@x', 'wrong')];
    expect([member.status, member.text]).toEqual([nobody.status, nobody.text]);
    expect(
      edge.audits.filter(({ message }) => message === 'sign-in failed').map(({ fields }) => fields['email']),
    ).toEqual(['admin@localhost', 'nobody@x']);
    expect(JSON.stringify(edge.audits)).not.toContain('wrong');
  });

  it('does not count sign-ins that succeed', async () => {
    await fresh();
    for (let i = 0; i < 25; i++) expect((await tryPassword('admin@localhost', PASSWORD)).status).toBe(200);
  });
});

describe('a try that was not made, because too many others were under way', () => {
  const config = { tries: 3, windowMs: 1000, maxWaitMs: 10_000, maxEntries: 50 };

  it('counts for nothing, however often it happens, and begins no wait anew', () => {
    let now = 0;
    const limit = createTryLimit(config, () => now);
    for (let i = 0; i < 1_000; i++) {
      expect(limit.take('a', '10.0.0.1')).toBe(0);
      limit.notMade('a', '10.0.0.1');
    }
    for (let i = 0; i < 3; i++) expect(limit.take('a', '10.0.0.1')).toBe(0);
    const waitMs = limit.take('a', '10.0.0.1');
    expect(waitMs).toBe(1000);
    now += waitMs;
    for (let i = 0; i < 10; i++) {
      expect(limit.take('a', '10.0.0.1')).toBe(0);
      limit.notMade('a', '10.0.0.1');
    }
    // Nor does it make the account one that is attacked, for others.
    expect(limit.take('a', '10.0.0.2')).toBe(0);
  });
});

describe('the limit', () => {
  const config = { tries: 3, windowMs: 1000, maxWaitMs: 10_000, maxEntries: 50 };

  it('counts a /64 of IPv6 as one place', () => {
    const limit = createTryLimit(config, () => 0);
    const addresses = ['2001:db8::1', '2001:db8:0:0:ffff::2', '2001:0db8::3', '2001:db8::4%eth0'];
    const waits = addresses.map((address, i) => limit.take(`user${i}`, address));
    expect(waits.slice(0, 2)).toEqual([0, 0]);
    expect(limit.take('a', '2001:db8:0:1::1')).toBe(0);
    expect(limit.take('b', '2001:db8::5') + waits[3]!).toBeGreaterThan(0);
  });

  it('keeps no more places than it may', () => {
    const limit = createTryLimit(config, () => 0);
    for (let i = 0; i < 10_000; i++) limit.take(`user${i}`, `10.0.${i >> 8}.${i & 255}`);
    for (let i = 0; i < 3; i++) limit.take('a', '10.9.9.9');
    expect(limit.take('a', '10.9.9.9')).toBeGreaterThan(0);
  });
});
