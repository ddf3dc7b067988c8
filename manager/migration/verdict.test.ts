import { describe, expect, test } from 'vitest';
import type { Look } from '../../common/wire/migration.ts';
import { sideOf } from './sides.ts';
import { decide, type Seen } from './verdict.ts';

const SIDES = ['running', 'moving', 'paused', 'off', 'absent', 'unreachable', 'odd'] as const;

/** Every pair, written down a second time: what is done, and how it then ends (`look`: both are looked at again). */
const TABLE: [source: Seen['source'], target: Seen['target'], does: string, ends: string][] = [
  ['running', 'absent', '', 'failed'],
  ['running', 'off', 'undefine target', 'look'],
  ['running', 'moving', 'destroy target', 'look'],
  ['running', 'running', 'pause source, pause target', 'unknown!'],
  ['running', 'paused', '', 'unknown!'],
  ['moving', 'running', 'destroy source', 'look'],
  ['moving', 'moving', 'destroy target', 'look'],
  ['moving', 'absent', 'resume source', 'look'],
  ['moving', 'off', '', 'unknown!'],
  ['moving', 'paused', '', 'unknown!'],
  ['paused', 'running', 'destroy source', 'look'],
  ['paused', 'moving', 'destroy target', 'look'],
  ['paused', 'absent', '', 'failed'],
  ['paused', 'off', '', 'unknown!'],
  ['paused', 'paused', '', 'unknown!'],
  ['off', 'running', 'undefine source', 'look'],
  ['off', 'moving', 'destroy target', 'look'],
  ['off', 'paused', 'undefine source', 'look'],
  ['off', 'off', 'undefine target', 'look'],
  ['off', 'absent', '', 'failed'],
  ['absent', 'running', '', 'done'],
  ['absent', 'paused', '', 'done'],
  ['absent', 'off', '', 'done'],
  ['absent', 'moving', '', 'unknown!'],
  ['absent', 'absent', '', 'unknown!'],
];

const seen = (source: Seen['source'], target: Seen['target'], more: Partial<Seen> = {}): Seen => ({
  ...{ source, target, wasPaused: false, wasLive: false, targetPersistent: true },
  ...more,
});

function told(pair: Seen): [string, string] {
  const { steps, end } = decide(pair);
  const does = steps.map(({ step, side }) => `${step} ${side}`).join(', ');
  return [does, end === null ? 'look' : `${end.state}${end.alarm ? '!' : ''}`];
}

describe('the truth table', () => {
  test.each(TABLE)('%s, %s: %s → %s', (source, target, does, ends) => {
    expect(told(seen(source, target))).toEqual([does, ends]);
  });

  test('has a row for every pair that can be seen', () => {
    const known = SIDES.filter((side) => side !== 'unreachable' && side !== 'odd');
    const pairs = known.flatMap((source) => known.map((target) => `${source} ${target}`));
    expect(TABLE.map(([source, target]) => `${source} ${target}`).sort()).toEqual(pairs.sort());
  });

  test.each(SIDES)('nobody knows while one of two does not answer (%s)', (side) => {
    for (const pair of [seen(side, 'unreachable'), seen('unreachable', side)]) {
      expect(decide(pair)).toMatchObject({ steps: [], end: { state: 'unknown', alarm: true, unreachable: true } });
    }
  });

  test.each(SIDES.filter((side) => side !== 'unreachable'))('an odd state is a person’s to judge (%s)', (side) => {
    for (const pair of [seen(side, 'odd'), seen('odd', side)]) expect(told(pair)).toEqual(['', 'unknown!']);
  });

  test('a guest that was paused before is not resumed', () => {
    expect(told(seen('moving', 'absent', { wasPaused: true }))).toEqual(['', 'failed']);
  });

  test('a guest that went off in a live move is not started by itself; a person is called and told why they may', () => {
    const pair = seen('off', 'absent', { wasLive: true });
    expect(told(pair)).toEqual(['', 'failed!']);
    expect(decide(pair).end?.text).toMatch(/Start on \{source\}/);
  });

  test('the last definition is never removed', () => {
    for (const target of ['running', 'paused'] as const)
      expect(told(seen('off', target, { targetPersistent: false }))).toEqual(['', 'unknown!']);
  });

  test('nothing begins to run while the other side could', () => {
    for (const source of SIDES)
      for (const target of SIDES)
        for (const wasPaused of [false, true]) {
          const { steps } = decide(seen(source, target, { wasPaused }));
          if (steps.some(({ step }) => step === 'resume')) expect([source, target]).toEqual(['moving', 'absent']);
          // Nothing that runs is ended for a side that does not.
          for (const { step, side } of steps.filter((one) => one.step === 'destroy'))
            expect(side === 'source' ? source : target, step).not.toBe('running');
        }
  });
});

describe('what a look says', () => {
  const look = (state: Look['state'], reason: string | null) => ({
    ...{ state, reason, persistent: true, autostart: false, busy: false, completed: null },
  });
  test.each([
    ['running', null, 'running', 'running'],
    ['shutting-down', null, 'running', 'running'],
    ['paused', 'migrating', 'moving', 'moving'],
    ['paused', 'starting up', 'moving', 'moving'],
    ['paused', 'user', 'paused', 'paused'],
    ['paused', 'I/O error', 'paused', 'paused'],
    ['paused', null, 'moving', 'paused'],
    ['shutoff', 'destroyed', 'off', 'off'],
    ['crashed', 'crashed', 'off', 'off'],
    ['saved', null, 'off', 'off'],
    ['unknown', null, 'odd', 'odd'],
    [null, null, 'absent', 'absent'],
  ] as const)('%s (%s)', (state, reason, source, target) => {
    expect([sideOf(look(state, reason), 'source'), sideOf(look(state, reason), 'target')]).toEqual([source, target]);
  });
  test('no answer is not "absent"', () => {
    expect([sideOf(null, 'source'), sideOf(null, 'target')]).toEqual(['unreachable', 'unreachable']);
  });
});
