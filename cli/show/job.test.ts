import { describe, expect, it } from 'vitest';
import type { Job } from '../../common/model/job.ts';
import { migrationText, outcomeText, progressText } from './job.ts';
import { createLiveLine } from './live-line.ts';

const job = (over: Partial<Job>): Job => ({
  ...{ id: 'job-1', verb: 'migrate', state: 'running', progress: null, instance: 'u', instanceName: 'web' },
  ...{
    host: 'h',
    hostName: 'host-1',
    actor: 'a',
    createdMs: 0,
    startedMs: 1000,
    endedMs: null,
    error: null,
    result: null,
  },
  ...over,
});

describe('a job on a terminal', () => {
  it('says in numbers how far it is, those that are known', () => {
    const detail = {
      phase: 'copies memory',
      remainingBytes: 2 ** 20,
      totalBytes: 2 ** 21,
      rateBps: 2 ** 20,
      rounds: 2,
    };
    expect(progressText(job({ progress: 0.5, detail }))).toBe(
      'migrate web: copies memory · 50 % · 1 MiB of 2 MiB left · 1 MiB/s · round 2',
    );
    expect(progressText(job({ state: 'planned' }))).toBe('migrate web: waits');
  });

  it('ends with its time and numbers, or with the reason and where to read more', () => {
    const result = { downtimeMs: 41.6, totalMs: 1234, transferredBytes: 2 ** 20, rounds: 1 };
    expect(outcomeText(job({ state: 'done', endedMs: 2500 }), migrationText(result))).toBe(
      'migrate web: done in 1.50 s; stood still 42 ms, moved in 1.2 s, 1 MiB sent, 1 round',
    );
    expect(migrationText({ downtimeMs: null, totalMs: 61_000 })).toBe('moved in 1 min 1 s');
    const failed = job({ state: 'failed', error: { code: 'x', message: 'no\x1b[2J room' } });
    expect(outcomeText(failed)).toBe('migrate web: failed. no␛[2J room (webvirt logs --job job-1)');
  });

  it('is one line that is written over, and a line for each phase where there is no terminal', () => {
    const written: string[] = [];
    const stream = (isTTY: boolean, columns: number) =>
      ({ isTTY, columns, write: (text: string) => written.push(text) }) as unknown as NodeJS.WriteStream;
    const terminal = createLiveLine(stream(true, 5));
    terminal.show('123456', 'a');
    terminal.clear();
    terminal.clear();
    expect(written.splice(0)).toEqual(['\r\x1b[2K1234', '\r\x1b[2K']);
    const pipe = createLiveLine(stream(false, 0));
    for (const [text, phase] of [
      ['a 1', 'a'],
      ['a 2', 'a'],
      ['b 1', 'b'],
    ] as const)
      pipe.show(text, phase);
    pipe.clear();
    expect(written).toEqual(['a 1\n', 'b 1\n']);
  });
});
