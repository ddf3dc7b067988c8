import { describe, expect, it } from 'vitest';
import type { MigrationChecks } from '../../../common/model/migration.ts';
import { JobTraces, recordTraces } from './job-traces.ts';
import { moveResult, timeLeftMs } from './move-figures.ts';
import { downtimeOf, orderedChecks, targetChoices } from './move-plan.ts';
import { Jobs } from './nouns.ts';

const MIB = 1024 ** 2;
const detail = { phase: 'copies memory', remainingBytes: 100 * MIB, rateBps: 50 * MIB, totalBytes: 1_000 * MIB };
const target = (name: string, ...verdicts: ('ok' | 'warn' | 'fail')[]): MigrationChecks => ({
  ...{ instance: 'u', target: `id-${name}`, targetName: name, live: true, movable: !verdicts.includes('fail') },
  checks: verdicts.map((verdict, index) => ({ check: `check-${index}`, verdict, text: verdict })),
});

describe('time left', () => {
  it('is what remains over the rate, less what the guest changes meanwhile', () => {
    expect(timeLeftMs(detail)).toBe(2_000);
    expect(timeLeftMs({ ...detail, rounds: 1, dirtyRateBps: 40 * MIB })).toBe(2_000);
    expect(timeLeftMs({ ...detail, rounds: 3, dirtyRateBps: 25 * MIB })).toBe(4_000);
  });

  it('is never for a guest that writes faster than it is copied, and unknown without numbers', () => {
    expect(timeLeftMs({ ...detail, rounds: 3, dirtyRateBps: 60 * MIB })).toBe(Number.POSITIVE_INFINITY);
    expect(timeLeftMs({ ...detail, rounds: 3, remainingBytes: 0, dirtyRateBps: 60 * MIB })).toBe(0);
    expect(timeLeftMs({ phase: 'prepares' })).toBeNull();
    expect(timeLeftMs({ ...detail, rateBps: 0 })).toBeNull();
  });
});

describe('targets', () => {
  it('stand movable ones first, with words that need no colour', () => {
    const all = [
      target('zinc', 'ok'),
      target('birch', 'fail', 'ok', 'fail'),
      target('fir', 'warn', 'ok', 'warn'),
      target('alder', 'ok'),
    ];
    expect(targetChoices(all).map(({ name, words }) => [name, words])).toEqual([
      ['alder', 'can move'],
      ['zinc', 'can move'],
      ['fir', 'can move, 2 to weigh'],
      ['birch', 'cannot move: check 0, check 2'],
    ]);
  });

  it('keep their places when they are asked for anew', () => {
    const order = ['id-b', 'id-a'];
    expect(
      targetChoices([target('a', 'ok'), target('b', 'fail'), target('c', 'ok')], order).map(({ name }) => name),
    ).toEqual(['b', 'a', 'c']);
  });

  it('have their checks with what is in the way first', () => {
    expect(orderedChecks(target('x', 'ok', 'warn', 'fail').checks).map(({ verdict }) => verdict)).toEqual([
      'fail',
      'warn',
      'ok',
    ]);
  });

  it('take a downtime in whole milliseconds, or none', () => {
    expect(['', ' 300 ', '0', '1.5', '60001', 'x'].map(downtimeOf)).toEqual([undefined, 300, null, null, null, null]);
  });
});

describe('the result of a move', () => {
  it('is read from the job, whatever else stands there', () => {
    const result = { source: 'a', target: 'b', totalMs: 900, downtimeMs: null, transferredBytes: 7, rounds: 3 };
    expect(moveResult('migrate', result)).toMatchObject({
      totalMs: 900,
      downtimeMs: null,
      memoryBytes: null,
      rounds: 3,
    });
    expect(moveResult('start', result)).toBeNull();
    expect(moveResult('migrate', { other: 1 })).toBeNull();
  });
});

describe('traces', () => {
  it('record what running jobs tell, and stay when they have ended', () => {
    const [jobs, traces] = [new Jobs(), new JobTraces(2, 8)];
    let nowMs = 0;
    recordTraces(jobs, traces, () => nowMs);
    jobs.add({ id: 'm', verb: 'migrate', state: 'running', createdMs: 1, detail } as never);
    nowMs = 250;
    jobs.get('m')!.set('detail', { ...detail, remainingBytes: 50 * MIB });
    jobs.get('m')!.set({ detail: undefined as never, state: 'done' });
    expect(traces.of('m')).toMatchObject({ tsMs: [0, 250], remainingBytes: [100 * MIB, 50 * MIB] });
  });

  it('keep the whole shape of a long one, the newest point, and only the newest jobs', () => {
    const traces = new JobTraces(2, 8);
    for (let ms = 0; ms < 40; ms += 1) traces.add('long', ms, { ...detail, remainingBytes: 40 - ms });
    const { tsMs } = traces.of('long');
    expect(tsMs.length).toBeLessThanOrEqual(8);
    expect(tsMs.at(-1)).toBe(39);
    expect(tsMs[0]!).toBeLessThan(15);
    for (const id of ['b', 'c']) traces.add(id, 1, detail);
    expect(traces.of('long').tsMs).toEqual([]);
  });
});
