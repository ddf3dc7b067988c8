import { expect, it } from 'vitest';
import { isWebvirtError } from '../../common/errors.ts';
import type { NewLine } from '../../common/model/line.ts';
import type { FrameHeader } from '../../common/wire/link.ts';
import type { IncomingFrame, IntakeAnswer } from '../intake/ports.ts';
import { createOutsideLines } from './outside-lines.ts';

const line = (message: string): NewLine => ({ tsMs: 1, level: 'info', source: 'external', message });

it('numbers what it sends without a hole, and begins anew after what may or may not have been stored', async () => {
  const headers: FrameHeader[] = [];
  let works = true;
  const outside = createOutsideLines({
    async acceptFrames(_sender, frames: readonly IncomingFrame[]): Promise<IntakeAnswer[]> {
      const { header } = frames[0]!;
      headers.push(header);
      const { epoch, first, count, hash } = header;
      return works
        ? [{ t: 'ack', epoch, next: first + count, hash }]
        : [{ t: 'nack', epoch, reason: 'store-unavailable', retryMs: 1 }];
    },
  });
  outside.add(line('a'));
  outside.add(line('b'));
  const first = outside.flush();
  outside.add(line('c'));
  await Promise.all([first, outside.flush()]);
  expect(headers.map(({ first: number, count }) => [number, count])).toEqual([
    [0, 2],
    [2, 1],
  ]);
  expect(headers[1]!.prev).toBe(headers[0]!.hash);
  works = false;
  outside.add(line('d'));
  const failed = await outside.flush().catch((error: unknown) => error);
  expect(isWebvirtError(failed, 'store-unavailable')).toBe(true);
  works = true;
  outside.add(line('e'));
  await outside.flush();
  expect(headers[3]).toMatchObject({ first: 0, count: 1, prev: '0'.repeat(32) });
  expect(headers[3]!.epoch).not.toBe(headers[0]!.epoch);
});
