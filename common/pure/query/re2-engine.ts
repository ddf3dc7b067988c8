import { RE2JS } from 're2js';
import { WebvirtError } from '../../errors.ts';
import type { RegexEngine } from './match.ts';

/**
 * RE2 in JavaScript: linear time whatever the pattern, so that a pattern of a user cannot hold up the event loop.
 * The store's own RE2 reads the same patterns.
 */
export const re2Engine: RegexEngine = (source, { ignoreCase, at }) => {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(source, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new WebvirtError(
      'bad-query',
      `The pattern at character ${at + 1} of the filter could not be read: ${why}; patterns are RE2: no look-around, no back references`,
      { position: at },
    );
  }
  return (text) => compiled.test(text);
};
