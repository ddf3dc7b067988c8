import { expect, it } from 'vitest';
import { createPace } from './pace.ts';

it('does cheap work at once, and what comes while it rests after dear work together, in order', async () => {
  const done: number[][] = [];
  let told: () => void = () => {};
  let dear = false;
  const pace = createPace<number>(50, (items) => {
    done.push(items);
    const untilMs = performance.now() + (dear ? 10 : 0);
    while (performance.now() < untilMs);
    told();
  });
  pace.push(1);
  pace.push(2);
  expect(done).toEqual([[1], [2]]);
  dear = true;
  pace.push(3);
  const next = new Promise<void>((resolve) => {
    told = resolve;
  });
  pace.push(4);
  pace.push(5);
  expect(done.at(-1)).toEqual([3]);
  await next;
  expect(done).toEqual([[1], [2], [3], [4, 5]]);
  pace.push(6);
  pace.stop();
  expect(done.at(-1)).toEqual([4, 5]);
});
