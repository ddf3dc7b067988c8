import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Edge, PASSWORD, startEdge } from '../../test/support/edge.ts';

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.stop());

const signIn = (email: string, password: string, from: string) =>
  edge.ask('/api/v1/sign-in', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email, password }),
    from,
  });

const LOGINS = 400;
const AT_ONCE = 100;

describe('thousands of sign-ins at once (S24)', () => {
  it('are refused in words, and who is signed in works on among them', async () => {
    const admin = await edge.signIn({ from: '127.0.9.9' });
    const answers = new Map<number, number>();
    let next = 0;
    let isOver = false;
    const flood = Array.from({ length: AT_ONCE }, async () => {
      while (next < LOGINS) {
        const i = next;
        next += 1;
        // From more addresses than any limit remembers one by one, for accounts that are there and that are not.
        const from = `127.0.${10 + (i % 40)}.${1 + (Math.floor(i / 40) % 200)}`;
        const { status } = await signIn(i % 3 === 0 ? 'admin@localhost' : `nobody${i}@x`, 'wrong', from);
        answers.set(status, (answers.get(status) ?? 0) + 1);
      }
    });
    const asked = new Map<number, number>();
    const work = (async () => {
      while (!isOver) {
        const { status } = await edge.ask('/api/v1/tokens', { headers: admin.headers, from: '127.0.9.9' });
        asked.set(status, (asked.get(status) ?? 0) + 1);
      }
    })();
    await Promise.all(flood);
    isOver = true;
    await work;
    // Every one was answered, and none with a fault of ours.
    expect([...answers.values()].reduce((sum, count) => sum + count, 0)).toBe(LOGINS);
    expect([...answers.keys()].sort()).toEqual([401, 429]);
    // An ask waits behind no more than what is under way: it had its turn among them, many times.
    expect([...asked.keys()]).toEqual([200]);
    expect(asked.get(200)).toBeGreaterThan(LOGINS / AT_ONCE);
    expect(edge.faults).toEqual([]);
    // The right one gets in from a new place at once, whatever was tried for it elsewhere.
    expect((await signIn('admin@localhost', PASSWORD, '127.0.8.8')).status).toBe(200);
    // A flood fills no log: one line for each address that had to wait.
    expect(edge.audits.length).toBeLessThan(LOGINS + 10);
  });
});
