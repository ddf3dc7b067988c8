import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ruleDraftSchema } from '../../common/model/rule.ts';
import { type Receivers, startAlerts, startReceivers } from '../../test/support/alert-receivers.ts';
import type { Alerts } from './alerts.ts';

let receivers: Receivers;
let subject: ReturnType<typeof startAlerts>;
let alerts: Alerts;
let written: ReturnType<typeof startAlerts>['written'];
let { mails, hooks, said, origin } = {} as Pick<Receivers, 'mails' | 'hooks' | 'origin'> & { said: string[] };

beforeEach(async () => {
  receivers = await startReceivers();
  ({ mails, hooks, origin } = receivers);
  const each = { gatherMs: 0, gatherMostMs: 0 };
  subject = startAlerts(receivers, { firstRetryMs: 20, longestRetryMs: 100, giveUpMs: 400, ...each });
  ({ alerts, written, said } = subject);
});
afterEach(async () => {
  await subject.stop();
  await receivers.stop();
});

function rule(destinations: string[], over: Record<string, unknown> = {}) {
  const condition = { kind: 'lines', count: 1, withinMs: 60_000 };
  const draft = { name: 'Disk "errors"', query: {}, condition, quietMs: 0, groupBy: 'host', destinations, ...over };
  return alerts.rules.create(ruleDraftSchema.parse(draft), 'me');
}
const states = () => alerts.deliveries.list({ limit: 50 }).map(({ state: now }) => now);
const settled = (count: number) => expect.poll(() => states().filter((one) => one !== 'waiting').length).toBe(count);

describe('deliveries', () => {
  it('go by e-mail, with an id of their own and nothing that a line could slip in', async () => {
    const { id } = alerts.destinations.create(
      { kind: 'email', name: 'mail', to: ['a@example.org', 'b@example.org'] },
      'me',
    );
    rule([id], { severity: 'critical' });
    written.commit([{ message: 'bad\r\nBcc: evil@example.org\u202e' }]);
    await settled(1);
    const [mail] = mails;
    expect(mail).toMatchObject({ to: ['a@example.org', 'b@example.org'], user: 'webvirt' });
    const delivery = alerts.deliveries.list({ limit: 1 })[0]!;
    expect(mail!.text).toContain(`Message-ID: <${delivery.id}@example.org>`);
    expect(mail!.text).toMatch(/^Subject: .*CRITICAL/m);
    expect(mail!.text).toContain('Auto-Submitted: auto-generated');
    expect(mail!.text).not.toMatch(/^Bcc:/m);
    expect(states()).toEqual(['sent']);
  });

  it('go to a webhook as JSON, signed, and to a chat', async () => {
    const hook = alerts.destinations.create(
      { kind: 'webhook', name: 'hook', url: `${origin}/hook`, secret: 'k1' },
      'me',
    );
    const chat = alerts.destinations.create(
      { kind: 'chat', name: 'chat', url: `${origin}/services/T0/B0/token` },
      'me',
    );
    rule([hook.id, chat.id]);
    written.commit([{ message: '<!channel> & "quotes"', host: 'h9' }]);
    await settled(2);
    const sent = hooks.find(({ url }) => url === '/hook')!;
    const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(sent.headers['webvirt-signature']!)!;
    expect(v1).toBe(createHmac('sha256', 'k1').update(`${t}.${sent.body}`).digest('hex'));
    expect(Math.abs(Number(t) - Date.now() / 1000)).toBeLessThan(60);
    expect(JSON.parse(sent.body)).toMatchObject({
      ...{ what: 'fired', group: 'h9', count: 1, rule: { name: 'Disk "errors"' } },
      line: { message: '<!channel> & "quotes"', url: expect.stringContaining('https://console.example.org/#/lines/') },
    });
    expect(sent.headers['idempotency-key']).toBe(sent.headers['webvirt-delivery']);
    const said = JSON.parse(hooks.find(({ url }) => url.startsWith('/services'))!.body) as {
      text: string;
      blocks: unknown;
    };
    expect(said.text).toContain('Disk "errors"');
    expect(JSON.stringify(said.blocks)).toContain('&lt;!channel&gt; &amp;');
    // What is secret went in and does not come out.
    expect(chat.url).toBe(`${origin}/services…`);
    expect(JSON.stringify([alerts.destinations.list(), alerts.deliveries.list({ limit: 9 })])).not.toMatch(/token|k1/);
  });

  it('fill in a template without leaving JSON, whatever a line says', async () => {
    const template = '{"msg": "{{rule.name}}: {{line.message}}", "n": {{count}}}';
    const { id } = alerts.destinations.create({ kind: 'webhook', name: 'h', url: `${origin}/t`, template }, 'me');
    rule([id]);
    written.commit([{ message: '", "admin": true, "x": "\\\n\u0000{{rule.id}}' }]);
    await settled(1);
    expect(JSON.parse(hooks[0]!.body)).toEqual({
      msg: 'Disk "errors": ", "admin": true, "x": "\\\n\u0000{{rule.id}}',
      n: 1,
    });
    const bad = (text: string) =>
      alerts.destinations.create({ kind: 'webhook', name: 'b', url: `${origin}/t`, template: text }, 'me');
    expect(() => bad('{{secret}}')).toThrow(/no \{\{secret\}\}/);
    expect(() => bad('{"a": {{group}}}')).toThrow(/JSON/);
  });

  it('are tried again, give up, and never make others wait', async () => {
    receivers.answer((url) => (url === '/dead' ? 503 : 204));
    const dead = alerts.destinations.create({ kind: 'webhook', name: 'dead', url: `${origin}/dead` }, 'me');
    const good = alerts.destinations.create({ kind: 'webhook', name: 'good', url: `${origin}/good` }, 'me');
    rule([dead.id, good.id]);
    for (let i = 0; i < 5; i += 1) written.commit([{ host: `h${i}` }]);
    await expect.poll(() => states().filter((one) => one === 'sent').length).toBe(5);
    await settled(10);
    const failed = alerts.deliveries.list({ limit: 50, state: 'failed' });
    expect(failed).toHaveLength(5);
    expect(failed.every(({ error }) => error === 'It answered 503.')).toBe(true);
    const tries = hooks.filter(({ url }) => url === '/dead').map(({ headers }) => headers['webvirt-delivery']);
    expect(new Set(tries).size).toBeLessThan(tries.length);
    expect(said.filter((line) => line.startsWith('a message was not delivered'))).toHaveLength(5);
  });

  it('are not tried again where that cannot help', async () => {
    const mail = alerts.destinations.create({ kind: 'email', name: 'm', to: ['nobody@example.org'] }, 'me');
    const inner = alerts.destinations.create(
      { kind: 'webhook', name: 'w', url: 'http://169.254.169.254/latest' },
      'me',
    );
    rule([mail.id, inner.id]);
    written.commit([{}]);
    await settled(2);
    expect(
      alerts.deliveries
        .list({ limit: 9 })
        .map(({ tries, error }) => `${tries} ${error}`)
        .sort(),
    ).toEqual(
      [
        expect.stringMatching(/^1 Nothing is sent to 169\.254\.169\.254/),
        expect.stringMatching(/^1 The mail server said: 550/),
      ].sort((a, b) => String(a).localeCompare(String(b))),
    );
  });

  it('can be tested, and their keys are in no line', async () => {
    const { id } = alerts.destinations.create({ kind: 'webhook', name: 'h', url: `${origin}/x`, secret: 'k2' }, 'me');
    expect(await alerts.destinations.test(id, 'me')).toMatchObject({ sent: true, error: null });
    receivers.answer(() => 404);
    expect(await alerts.destinations.test(id, 'me')).toMatchObject({ sent: false, error: 'It answered 404.' });
    // A key stays with its host: somebody who changes the address cannot have it sent elsewhere.
    alerts.destinations.update(id, { kind: 'webhook', name: 'h', url: 'http://127.0.0.1:1/x' });
    expect(alerts.destinations.list()[0]!.secretSet).toBe(false);
    rule([id]);
    expect(() => alerts.destinations.remove(id)).toThrow(/A rule tells it: Disk "errors"/);
    expect(said.join('\n')).not.toMatch(/k2|mail-secret/);
  });
});
