import { expect, it } from 'vitest';
import { damageStorm } from './damage-storm.testing.ts';

it('L16: answers what is left and says what is not, whatever becomes of a sealed file', async () => {
  const { lossy, problems } = await damageStorm({ rounds: 40, seed: 20_261_121 });
  expect(problems).toEqual([]);
  expect(lossy).toBeGreaterThan(5);
}, 60_000);
