import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Edge, PASSWORD, startEdge } from '../../test/support/edge.ts';
import { hashSecret } from './secrets.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
let nowMs: number;
let edge: Edge;
let ended: string[];

beforeEach(async () => {
  nowMs = Date.parse('2030-01-01');
  edge = await startEdge({ now: () => nowMs });
  ended = [];
  edge.bus.on('credential-ended', ({ credentialId }) => ended.push(credentialId));
});
afterEach(() => edge.stop());

const me = async (cookie: string) => (await edge.ask('/api/v1/me', { headers: { Cookie: cookie } })).status;
const idOf = (cookie: string) => hashSecret(cookie.split('=')[1]!);

describe('a session', () => {
  it('has an id of 256 bits that only the browser keeps', async () => {
    const { cookie, csrfToken, answer } = await edge.signIn();
    const value = cookie.split('=')[1]!;
    expect(Buffer.from(value, 'base64url')).toHaveLength(32);
    expect(answer.text).not.toContain(value);
    expect(JSON.stringify(edge.state.accounts.session(idOf(cookie)))).not.toContain(value);
    expect(csrfToken).not.toBe(value);
    expect(JSON.stringify(edge.audits)).not.toMatch(new RegExp(`${value}|${csrfToken}|${PASSWORD}`));
  });

  it('is never one that was planted before', async () => {
    const planted = `webvirt_session=${'a'.repeat(43)}`;
    const { cookie } = await edge.signIn({ headers: { Cookie: planted } });
    expect(cookie).not.toBe(planted);
    expect(await me(planted)).toBe(401);
    expect(await me(cookie)).toBe(200);
  });

  it('gets another id at each sign-in, and the one before ends', async () => {
    const first = await edge.signIn();
    const second = await edge.signIn({ headers: { Cookie: first.cookie } });
    expect(second.cookie).not.toBe(first.cookie);
    expect(second.csrfToken).not.toBe(first.csrfToken);
    expect([await me(first.cookie), await me(second.cookie)]).toEqual([401, 200]);
    expect(ended).toEqual([idOf(first.cookie)]);
  });

  it('of another browser goes on', async () => {
    const first = await edge.signIn();
    await edge.signIn();
    expect(await me(first.cookie)).toBe(200);
  });

  it('does not take the CSRF token of another one', async () => {
    const [first, second] = [await edge.signIn(), await edge.signIn()];
    const headers = { Cookie: first.cookie, 'X-CSRF-Token': second.csrfToken };
    expect((await edge.ask('/api/v1/sign-out', { method: 'POST', headers })).json.err).toBe('csrf-missing');
  });

  it('ends at sign-out, and its sockets hear of it', async () => {
    const { cookie, headers } = await edge.signIn();
    const answer = await edge.ask('/api/v1/sign-out', { method: 'POST', headers });
    expect(answer.status).toBe(200);
    expect(answer.headers['set-cookie']![0]).toMatch(/^webvirt_session=; .*Max-Age=0/);
    expect(await me(cookie)).toBe(401);
    expect(ended).toEqual([idOf(cookie)]);
    expect(edge.audits.map(({ message }) => message)).toEqual(['signed in', 'signed out']);
  });

  it('ends when nobody used it for its idle time, and goes on while somebody does', async () => {
    const { cookie } = await edge.signIn();
    nowMs += 11 * HOUR_MS;
    expect(await me(cookie)).toBe(200);
    // 23 hours after the sign-in: only the idle time is over.
    nowMs += 12 * HOUR_MS;
    expect(await me(cookie)).toBe(401);
    expect(ended).toEqual([idOf(cookie)]);
  });

  it('ends after its whole life however much it is used', async () => {
    const { cookie } = await edge.signIn();
    for (let hour = 0; hour < 23; hour += 1) {
      nowMs += HOUR_MS;
      expect(await me(cookie)).toBe(200);
    }
    nowMs += HOUR_MS;
    expect(await me(cookie)).toBe(401);
  });

  it('that is remembered outlives the browser', async () => {
    const body = JSON.stringify({ email: 'admin@localhost', password: PASSWORD, remember: true });
    const { answer, cookie } = await edge.signIn({ body });
    expect(answer.headers['set-cookie']![0]).toContain(`Max-Age=${(720 * HOUR_MS) / 1000}`);
    nowMs += 700 * HOUR_MS;
    expect(await me(cookie)).toBe(200);
    nowMs += 30 * HOUR_MS;
    expect(await me(cookie)).toBe(401);
  });

  it('does not survive a change of the password', async () => {
    const { cookie } = await edge.signIn();
    nowMs += MINUTE_MS;
    await edge.restartAuth('another password');
    expect(await me(cookie)).toBe(401);
    const again = await edge.signIn({
      body: JSON.stringify({ email: 'admin@localhost', password: 'another password' }),
    });
    expect(await me(again.cookie)).toBe(200);
  });

  it('survives a restart of the program with the same password', async () => {
    const { cookie } = await edge.signIn();
    await edge.restartAuth(PASSWORD);
    expect(await me(cookie)).toBe(200);
  });

  it('is no session in another form', async () => {
    const { cookie } = await edge.signIn();
    const value = cookie.split('=')[1]!;
    for (const other of [
      `webvirt_session=${value}x`,
      `webvirt_session=${value.slice(1)}`,
      `webvirt_session="${value}"`,
      `Webvirt_session=${value}`,
      `webvirt_session=${hashSecret(value)}`,
      'webvirt_session=',
      `x=webvirt_session=${value}`,
    ]) {
      expect(await me(other), other).toBe(401);
    }
    expect((await edge.ask(`/api/v1/me?webvirt_session=${value}`)).status).toBe(401);
  });
});
