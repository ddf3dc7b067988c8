import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ruleDraftSchema } from '../../common/model/rule.ts';
import { type Receivers, startAlerts, startReceivers } from '../../test/support/alert-receivers.ts';
import { LIMIT_TOP } from './gather.ts';

let receivers: Receivers;
let subject: ReturnType<typeof startAlerts>;
const RETRY = { firstRetryMs: 20, longestRetryMs: 50, giveUpMs: 60_000 };

beforeEach(async () => {
  receivers = await startReceivers();
});
afterEach(async () => {
  await subject.stop();
  await receivers.stop();
});

/** Gathers for so long, which must be longer than it takes to fire all that shall be in one message. */
function begin(gatherMs: number): void {
  subject = startAlerts(receivers, { ...RETRY, gatherMs, gatherMostMs: gatherMs });
}
const hook = (name: string, more: Record<string, unknown> = {}) =>
  subject.alerts.destinations.create({ kind: 'webhook', name, url: `${receivers.origin}/${name}`, ...more }, 'me').id;
const mail = () => subject.alerts.destinations.create({ kind: 'email', name: 'mail', to: ['a@example.org'] }, 'me').id;
function rule(destinations: string[], over: Record<string, unknown> = {}) {
  const condition = { kind: 'lines', count: 1, withinMs: 60_000 };
  const draft = { name: 'Disk errors', query: {}, condition, quietMs: 0, groupBy: 'host', destinations, ...over };
  return subject.alerts.rules.create(ruleDraftSchema.parse(draft), 'me');
}
const bodies = (name: string) =>
  receivers.hooks
    .filter(({ url }) => url === `/${name}`)
    .map(({ body }) => JSON.parse(body) as { fired: number; events: { group: string }[]; more: number; title: string });
const fire = (from: number, count: number, over: Record<string, unknown> = {}) => {
  for (let i = from; i < from + count; i += 1) subject.written.commit([{ host: `h${i}`, ...over }]);
};
const deliveries = () => subject.alerts.deliveries.list({ limit: 500 });
const allSent = () =>
  expect.poll(() => deliveries().every(({ state }) => state === 'sent') && deliveries().length > 0).toBe(true);

describe('a thousand groups that fire at once', () => {
  it('are one mail, one message to a chat and one call of a webhook', async () => {
    begin(2_500);
    const chat = subject.alerts.destinations.create(
      { kind: 'chat', name: 'chat', url: `${receivers.origin}/chat` },
      'me',
    ).id;
    const { id } = rule([mail(), hook('hook', { secret: 'k' }), chat], { severity: 'critical' });
    fire(0, 1_000, { message: `<${'&'.repeat(400)}` });
    await subject.alerts.engine.idle();
    await allSent();
    expect(deliveries()).toHaveLength(3);
    expect(deliveries().map(({ events, otherRules }) => [events, otherRules])).toEqual(Array(3).fill([1_000, 0]));
    expect([receivers.mails.length, receivers.hooks.length]).toEqual([1, 2]);
    const [told] = bodies('hook');
    expect(told).toMatchObject({
      ...{ what: 'fired', fired: 1_000, ended: 0, count: 1_000, severity: 'critical', more: 1_000 - LIMIT_TOP },
      ...{ title: '[CRITICAL] Disk errors — h0, h1, h2 and 997 more', group: null, groups: 'h0, h1, h2 and 997 more' },
      rule: { id, url: `https://console.example.org/#/rules/${id}` },
    });
    expect(told!.events.map(({ group }) => group)).toEqual(Array.from({ length: LIMIT_TOP }, (_, i) => `h${i}`));
    const text = receivers.mails[0]!.text.replaceAll('=\r\n', '');
    expect(text).toContain('Fired 1,000 times (1,000 lines)');
    expect(text).toMatch(/- host h0, 1 line: /);
    expect(text).toContain('and 990 more.');
    const said = JSON.parse(receivers.hooks.find(({ url }) => url === '/chat')!.body) as {
      blocks: { text?: { text: string } }[];
    };
    const section = said.blocks[0]!.text!.text;
    expect(section.length).toBeLessThan(3_000);
    expect(section).not.toMatch(/&(?!(amp|lt|gt);)/);
    expect(subject.alerts.rules.events({ limit: 5_000 })).toHaveLength(1_000);
  });

  it('are a thousand calls where the destination wants each apart, or nothing is gathered at all', async () => {
    begin(1_000);
    rule([hook('each', { together: false }), hook('one')]);
    fire(0, 40);
    await subject.alerts.engine.idle();
    await allSent();
    expect([bodies('each').length, bodies('one').length]).toEqual([40, 1]);
    expect(bodies('each')[0]).toMatchObject({
      what: 'fired',
      group: 'h0',
      fired: 1,
      more: 0,
      events: [{ group: 'h0' }],
    });
    await subject.stop();
    receivers.hooks.splice(0);
    begin(0);
    rule([hook('one')]);
    fire(0, 30);
    await subject.alerts.engine.idle();
    await allSent();
    expect(bodies('one')).toHaveLength(30);
  });

  it('of several rules are one message that names the rules, the worst first', async () => {
    begin(1_000);
    const shared = hook('hook');
    rule([shared], { name: 'Noise', severity: 'info' });
    rule([shared, mail()], { name: 'Bad', severity: 'critical', query: { q: 'bad' } });
    fire(0, 50);
    fire(50, 1, { message: 'bad sector' });
    await subject.alerts.engine.idle();
    await allSent();
    const [told] = bodies('hook');
    expect(told).toMatchObject({
      ...{ title: '[CRITICAL] 2 rules — Noise, Bad', fired: 52, rule: { id: null, name: '2 rules' } },
      events: expect.objectContaining({
        0: expect.objectContaining({ rule: expect.objectContaining({ name: 'Bad' }) }),
      }),
    });
    // One event alone is told as ever.
    expect(receivers.mails[0]!.text).toContain('host_h50');
    const bad = subject.alerts.rules.list().find(({ name }) => name === 'Bad')!;
    const listed = subject.alerts.deliveries.list({ limit: 9, rule: bad.id });
    expect(listed.map(({ otherRules }) => otherRules).sort()).toEqual([0, 1]);
  });
});

describe('a storm that goes on', () => {
  it('gathers while a destination does not answer, and each try of a message tells the same', async () => {
    // Longer than all that fires takes: it comes in few messages, on a slow machine too.
    begin(300);
    receivers.answer(() => 503);
    rule([hook('hook')]);
    fire(0, 5);
    await expect.poll(() => receivers.hooks.length).toBeGreaterThan(1);
    for (let i = 0; i < 20; i += 1) {
      fire(5 + i, 1);
      await subject.alerts.engine.idle();
    }
    receivers.answer(() => 204);
    await allSent();
    expect(deliveries().length).toBeLessThan(15);
    expect(deliveries().reduce((sum, { events }) => sum + events, 0)).toBe(25);
    const tries = new Map<string, Set<string>>();
    for (const { headers, body } of receivers.hooks) {
      const id = headers['webvirt-delivery']!;
      tries.set(id, (tries.get(id) ?? new Set()).add(body));
    }
    expect([...tries.values()].every(({ size }) => size === 1)).toBe(true);
  });

  it('puts nothing into a message that is on its way', async () => {
    begin(30);
    let fail: (status: number) => void = () => undefined;
    receivers.answer(
      () =>
        new Promise((resolve) => {
          fail = resolve;
        }),
    );
    rule([hook('hook')]);
    fire(0, 2);
    await expect.poll(() => receivers.hooks.length).toBe(1);
    fire(2, 3);
    await subject.alerts.engine.idle();
    receivers.answer(() => 204);
    fail(503);
    await expect.poll(() => deliveries().map(({ state }) => state)).toEqual(['sent', 'sent']);
    const [first] = receivers.hooks;
    const id = first!.headers['webvirt-delivery'];
    const again = receivers.hooks.filter(({ headers }) => headers['webvirt-delivery'] === id);
    expect(again.map(({ body }) => body)).toEqual([first!.body, first!.body]);
    expect(
      bodies('hook')
        .map(({ fired }) => fired)
        .sort(),
    ).toEqual([2, 2, 3]);
  });

  it('that the manager is stopped in is told after the start, nothing of it twice', async () => {
    begin(2_000);
    rule([hook('hook')]);
    fire(0, 7);
    await subject.alerts.engine.idle();
    await subject.restart();
    fire(7, 3);
    await subject.alerts.engine.idle();
    await expect.poll(() => bodies('hook').length).toBe(2);
    expect(
      bodies('hook')
        .map(({ fired }) => fired)
        .sort(),
    ).toEqual([3, 7]);
  });
});

describe('a clock that is set back', () => {
  it('holds up no message', async () => {
    let backMs = 0;
    begin(100);
    await subject.restart(() => Date.now() - backMs);
    rule([hook('hook')]);
    fire(0, 2);
    await subject.alerts.engine.idle();
    backMs = 3_600_000;
    await expect.poll(() => bodies('hook').length).toBe(1);
    // And over a restart: what waits was due in a future that is far away now.
    receivers.answer(() => 503);
    fire(2, 1);
    await expect.poll(() => deliveries()[0]!.tries).toBeGreaterThan(0);
    backMs = 7_200_000;
    receivers.answer(() => 204);
    await subject.restart(() => Date.now() - backMs);
    await allSent();
  });
});
