import { expect, it } from 'vitest';
import { SampleHistory } from './sample-history.ts';

it('joins a loaded history with newer live samples, in order, without doubles, within its cap', () => {
  const history = new SampleHistory(4);
  history.add('a', 30, 0.3, 3);
  history.add('a', 40, 0.4, 4);
  history.add('a', 40, 0.9, 9);
  history.load({ id: 'a', tsMs: [10, 20, 30], cpuRatio: [0.1, 0.2, 0.3], memoryUsedBytes: [1, 2, 3] });
  expect(history.of('a').tsMs).toEqual([10, 20, 30, 40]);
  history.add('a', 50, 0.5, 5);
  expect(history.of('a').cpuRatio).toEqual([0.2, 0.3, 0.4, 0.5]);
  expect(history.of('unknown').tsMs).toEqual([]);
});
