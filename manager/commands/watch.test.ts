import { expect, it } from 'vitest';
import type { StoredJob } from '../store/ports.ts';
import { createWatch } from './watch.ts';

const job = (id: string, state: string) => ({ id, state, host: 'h1' }) as StoredJob;

it('allows each kind of silence its own time, by a clock that nobody sets', () => {
  let nowMs = 0;
  let online = true;
  const limits = { firstWordMs: 35, nextWordMs: 900, hostGoneMs: 60 };
  const watch = createWatch(limits, { monotonicMs: () => nowMs, connected: () => online });
  watch.heard(job('planned', 'planned'));
  watch.heard(job('running', 'running'));
  nowMs = 34;
  expect(watch.overdue()).toEqual([]);
  nowMs = 35;
  expect(watch.overdue()).toEqual(['planned']);
  online = false;
  expect(watch.overdue()).toEqual([]);
  nowMs = 94;
  expect(watch.overdue()).toEqual([]);
  online = true;
  expect(watch.overdue()).toEqual([]);
  online = false;
  nowMs = 100;
  expect(watch.overdue()).toEqual([]);
  nowMs = 160;
  expect(watch.overdue()).toEqual(['running']);
  expect(watch.overdue()).toEqual([]);
  watch.heard(job('late', 'running'));
  watch.forget('late');
  nowMs = 9_999;
  expect(watch.overdue()).toEqual([]);
});
