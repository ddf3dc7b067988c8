import { WebvirtError } from '../../common/errors.ts';
import { findLinesSchema, LIMIT_FOUND_BYTES } from '../../common/wire/found-lines.ts';
import type { Spool } from '../../logging/spool/spool.ts';
import type { Answerer } from './questions.ts';

/** Answers what the spool still has of some numbers: a gap in the store is filled with it. */
export function lineAnswerers(spool: Pick<Spool, 'find'>): { lines: Answerer } {
  return {
    lines(args) {
      const asked = findLinesSchema.safeParse(args);
      if (!asked.success) throw new WebvirtError('bad-request', 'Which numbers of which epoch?');
      const frames = spool.find(asked.data, LIMIT_FOUND_BYTES);
      return { frames: frames.map(({ header, body }) => ({ header, body: Buffer.from(body).toString('base64') })) };
    },
  };
}
