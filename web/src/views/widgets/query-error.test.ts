import { expect, it } from 'vitest';
import { parseQuery } from '../../../../common/pure/query/parse.ts';
import { faultPosition } from './query-error.ts';

it('finds the place that the parser of filters names', () => {
  for (const [text, position] of [
    ['abc level:loud', 4],
    ['"never closed', 0],
  ] as const) {
    try {
      parseQuery(text);
      expect.unreachable();
    } catch (error) {
      expect(faultPosition((error as Error).message)).toBe(position);
    }
  }
  expect(faultPosition('The store is away.')).toBeNull();
});
