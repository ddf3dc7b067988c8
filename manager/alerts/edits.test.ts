import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RuleDraft, ruleDraftSchema } from '../../common/model/rule.ts';
import { type Receivers, startAlerts, startReceivers } from '../../test/support/alert-receivers.ts';

let receivers: Receivers;
let subject: ReturnType<typeof startAlerts>;
let hook: string;

beforeEach(async () => {
  receivers = await startReceivers();
  const retry = { firstRetryMs: 20, longestRetryMs: 50, giveUpMs: 60_000 };
  subject = startAlerts(receivers, { ...retry, gatherMs: 0, gatherMostMs: 0 });
  const draft = { kind: 'webhook' as const, name: 'hook', url: `${receivers.origin}/hook` };
  hook = subject.alerts.destinations.create(draft, 'me').id;
});
afterEach(async () => {
  await subject.stop();
  await receivers.stop();
});

function draftOf(over: Record<string, unknown> = {}): RuleDraft {
  const condition = { kind: 'lines', count: 2, withinMs: 3_600_000 };
  const draft = { name: 'errors', query: {}, condition, groupBy: 'host', tellEnd: true, destinations: [hook], ...over };
  return ruleDraftSchema.parse(draft);
}
const told = () =>
  receivers.hooks.map(({ body }) => {
    const { what, group, line } = JSON.parse(body) as { what: string; group: string; line: { message: string } };
    return `${what} ${group} ${line.message}`;
  });
const events = () => subject.alerts.rules.events({ limit: 50 }).map(({ what, group }) => `${what} ${group}`);
async function come(...hosts: string[]): Promise<void> {
  for (const host of hosts) subject.written.commit([{ host }]);
  await subject.alerts.engine.idle();
}

describe('a rule that is edited while it fires', () => {
  it.each([
    ['The rule was changed.', { query: { level: 'error' } }],
    ['The rule was changed.', { condition: { kind: 'lines', count: 3, withinMs: 60_000 } }],
    ['The rule was switched off.', { enabled: false }],
  ])('is over for whom it fired: %s', async (why, over) => {
    const { id } = subject.alerts.rules.create(draftOf(), 'me');
    await come('h1', 'h1', 'h2');
    subject.alerts.rules.update(id, draftOf(over));
    await expect.poll(told).toEqual(['fired h1 it broke', `ended h1 ${why}`]);
    await subject.restart();
    await subject.alerts.engine.idle();
    expect(events()).toEqual(['ended h1', 'fired h1']);
    expect(subject.alerts.rules.get(id).firing).toEqual([]);
  });

  it('goes on where what it counts is the same: nothing is told anew, nothing is lost', async () => {
    const { id } = subject.alerts.rules.create(draftOf(), 'me');
    await come('h1', 'h1', 'h2');
    for (const over of [{ name: 'other' }, { severity: 'critical' }, { quietMs: 0 }, { tellEnd: false }])
      subject.alerts.rules.update(id, draftOf(over));
    await come('h2', 'h1');
    expect(events()).toEqual(['fired h2', 'fired h1']);
    expect(
      subject.alerts.rules
        .get(id)
        .firing.map(({ group, count }) => `${group} ${count}`)
        .sort(),
    ).toEqual(['h1 3', 'h2 2']);
  });

  it('is over when it is removed', async () => {
    const { id } = subject.alerts.rules.create(draftOf(), 'me');
    await come('h1', 'h1');
    subject.alerts.rules.remove(id);
    await expect.poll(told).toEqual(['fired h1 it broke', 'ended h1 The rule was removed.']);
  });

  it('counts each line once though it is edited in the middle of a batch', async () => {
    const condition = { kind: 'lines', count: 1, withinMs: 86_400_000 };
    for (let i = 0; i < 20; i += 1)
      subject.alerts.rules.create(draftOf({ name: `r${i}`, query: { q: `/(a|b)+c${i}$/` }, destinations: [] }), 'me');
    const over = { query: { q: 'ab' }, condition, destinations: [] };
    const { id } = subject.alerts.rules.create(draftOf(over), 'me');
    subject.written.commit([{ message: 'ab' }]);
    await subject.alerts.engine.idle();
    let edits = 0;
    let isDone = false;
    const edit = () => {
      if (isDone) return;
      subject.alerts.rules.update(id, draftOf({ ...over, name: `n${edits}` }));
      edits += 1;
      setImmediate(edit);
    };
    for (let i = 0; i < 4; i += 1)
      subject.written.commit(Array.from({ length: 2_000 }, (_, n) => ({ message: `abababababababab${n}` })));
    setImmediate(edit);
    await subject.alerts.engine.idle();
    isDone = true;
    await subject.alerts.engine.idle();
    expect(edits).toBeGreaterThan(3);
    expect(subject.alerts.rules.get(id).firing).toMatchObject([{ group: 'h1', count: 8_001 }]);
    expect(subject.alerts.rules.events({ rule: id, limit: 9 }).map(({ what }) => what)).toEqual(['fired']);
  });
});

describe('a rule that is muted', () => {
  it('tells nobody, goes on counting, and tells what still fires when it is heard again', async () => {
    const { id } = subject.alerts.rules.create(draftOf(), 'me');
    await come('h1', 'h1');
    await expect.poll(told).toHaveLength(1);
    expect(subject.alerts.rules.mute(id, 3_600_000).mutedUntilMs).toBeGreaterThan(Date.now());
    await come('h2', 'h2');
    // A change of the rule leaves it muted, a start too.
    subject.alerts.rules.update(id, draftOf({ name: 'other' }));
    await subject.restart();
    await come('h3', 'h3');
    expect(events()).toEqual(['fired h3', 'fired h2', 'fired h1']);
    expect(subject.alerts.deliveries.list({ limit: 9 })).toHaveLength(1);
    expect(subject.alerts.rules.mute(id, 0).mutedUntilMs).toBeNull();
    await expect.poll(() => told().slice(1).sort()).toEqual(['h1', 'h2', 'h3'].map((one) => `fired ${one} it broke`));
    await come('h4', 'h4');
    await expect.poll(told).toHaveLength(5);
  });

  it('is heard again by itself, over a restart too', async () => {
    const { id } = subject.alerts.rules.create(draftOf(), 'me');
    subject.alerts.rules.mute(id, 60);
    await come('h1', 'h1');
    await expect.poll(told).toEqual(['fired h1 it broke']);
    expect(subject.alerts.rules.get(id).mutedUntilMs).toBeNull();
    subject.alerts.rules.mute(id, 3_600_000);
    await come('h2', 'h2');
    await subject.restart(() => Date.now() + 3_600_001);
    await expect.poll(told).toHaveLength(3);
    expect(() => subject.alerts.rules.mute('nobody', 1)).toThrow(/no such rule/);
  });
});

describe('with another manager that looks after the rules', () => {
  it('a rule is heard again once, by the one that looks after it then', async () => {
    const { id } = subject.alerts.rules.create(draftOf(), 'me');
    subject.alerts.rules.mute(id, 80);
    await come('h1', 'h1');
    subject.alerts.lead(false);
    // It shows that the time is over, and leaves the telling to the other.
    await expect.poll(() => subject.alerts.rules.get(id).mutedUntilMs).toBeNull();
    expect(told()).toEqual([]);
    subject.alerts.lead(true);
    await expect.poll(told).toEqual(['fired h1 it broke']);
  });
});

describe('a clock that is set back', () => {
  it('leaves no rule blind: it counts, fires and ends on', async () => {
    let backMs = 0;
    await subject.restart(() => Date.now() - backMs);
    const condition = { kind: 'lines', count: 400, withinMs: 3_600_000 };
    const { id } = subject.alerts.rules.create(draftOf({ condition, quietMs: 60_000 }), 'me');
    const lines = (count: number, host: string) =>
      subject.written.commit(
        Array.from({ length: count }, (_, i) => ({ host, tsMs: Date.now() - backMs - 10_000 + i })),
        { nowMs: Date.now() - backMs },
      );
    lines(700, 'h1');
    lines(399, 'h2');
    await subject.alerts.engine.idle();
    expect(events()).toEqual(['fired h1']);
    backMs = 86_400_000;
    await expect
      .poll(() => Math.max(...subject.alerts.rules.get(id).firing.map(({ sinceMs }) => sinceMs)))
      .toBeLessThan(Date.now() - backMs + 3_600_000);
    lines(1, 'h2');
    await subject.alerts.engine.idle();
    expect(events()).toEqual(['fired h2', 'fired h1']);
  });
});
