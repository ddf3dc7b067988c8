import { expect, it } from 'vitest';
import { type RuleEvent, ruleDraftSchema } from '../../common/model/rule.ts';
import type { StoredDelivery, StoredDestination, StoredRule } from '../store/ports.ts';
import { createMessages } from './messages.ts';

let now = 1_000_000;
const condition = { kind: 'lines', count: 1, withinMs: 1_000 };

function rule(id: string, over: Record<string, unknown> = {}): StoredRule {
  const draft = ruleDraftSchema.parse({
    name: id,
    query: {},
    condition,
    groupBy: 'host',
    destinations: ['d'],
    ...over,
  });
  return { ...draft, id, owner: 'me', createdMs: 0, changedMs: 0 };
}
const event = (
  of: StoredRule,
  what: RuleEvent['what'] = 'fired',
  count = 1,
): { rule: StoredRule; event: RuleEvent } => ({
  rule: of,
  event: {
    ...{ id: `${of.id}${Math.random()}`, rule: of.id, ruleName: of.name, what, group: 'h', tsMs: now, count },
    ...{ line: null, message: null },
  },
});

function subject(gatherMs = 5_000) {
  const kept = new Map<string, StoredDelivery>();
  const destination = { id: 'd', name: 'd', kind: 'webhook' } as StoredDestination;
  const messages = createMessages(
    { gatherMs, gatherMostMs: 60_000 },
    {
      deliveries: { get: (id) => structuredClone(kept.get(id) ?? null) },
      destinations: { get: (id) => (id === 'd' ? destination : null) },
      groupName: () => null,
      nowMs: () => now,
    },
  );
  return {
    kept,
    messages,
    /** As the engine does it: written, or not. */
    tell(told: { rule: StoredRule; event: RuleEvent }[], isWritten = true) {
      const made = messages.of(told);
      if (isWritten) for (const one of made) kept.set(one.id, structuredClone(one));
      return made;
    },
    send(delivery: StoredDelivery) {
      messages.close(delivery);
      kept.set(delivery.id, { ...delivery, state: 'sent', tries: 1 });
    },
  };
}
const waits = ({ nextTryMs }: StoredDelivery) => nextTryMs! - now;

it('a storm is told ever more rarely, up to a limit, and promptly again after a rest', () => {
  const { tell, send } = subject();
  const noisy = rule('noisy');
  const seen: number[] = [];
  for (let i = 0; i < 8; i += 1) {
    const [made] = tell([event(noisy)]);
    seen.push(waits(made!));
    now += waits(made!);
    send(made!);
  }
  expect(seen).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000, 60_000]);
  now += 61_000;
  expect(waits(tell([event(noisy)])[0]!)).toBe(5_000);
});

it('something critical that was not told yet never waits for longer than the short time', () => {
  const { tell, send } = subject();
  const [noisy, fire] = [rule('noisy'), rule('fire', { severity: 'critical' })];
  for (let i = 0; i < 3; i += 1) send(tell([event(noisy)])[0]!);
  expect(waits(tell([event(noisy)])[0]!)).toBe(40_000);
  now += 1_000;
  const [joined] = tell([event(fire)]);
  expect([joined!.events, waits(joined!)]).toEqual([2, 5_000]);
  send(joined!);
  // Told once, more of the same waits with the others.
  expect(waits(tell([event(fire)])[0]!)).toBe(60_000);
});

it('what could not be written is in no message', () => {
  const { tell, kept } = subject();
  const noisy = rule('noisy');
  tell([event(noisy)], false);
  const [first] = tell([event(noisy), event(noisy)]);
  expect([first!.events, kept.size]).toEqual([2, 1]);
  tell([event(noisy)], false);
  expect(tell([event(noisy)])[0]).toMatchObject({ id: first!.id, events: 3 });
});

it('what another manager may have tried stays as it is', () => {
  const { tell, messages } = subject();
  const noisy = rule('noisy');
  const [first] = tell([event(noisy)]);
  messages.closeAll();
  const [second] = tell([event(noisy)]);
  expect(second!.id).not.toBe(first!.id);
});

it('ends are told where they are wanted, behind what fired', () => {
  const { tell } = subject();
  const [mute, full] = [rule('a'), rule('b', { tellEnd: true })];
  expect(tell([event(mute, 'ended'), event(mute, 'held-quiet')])).toEqual([]);
  const [made] = tell([event(full, 'ended', 50), event(full, 'fired', 2), event(full, 'fired', 9)]);
  expect(made!.gathered).toMatchObject({ fired: 2, ended: 1, lines: 11 });
  expect(made!.gathered!.top.map(({ what, count }) => `${what} ${count}`)).toEqual(['fired 9', 'fired 2', 'ended 50']);
});

it('a destination that is gone is told nothing; one that wants each event apart is told each', () => {
  const { tell } = subject(0);
  expect(tell([event(rule('a', { destinations: ['gone'] }))])).toEqual([]);
  const both = rule('b');
  expect(tell([event(both), event(both)])).toHaveLength(2);
});
