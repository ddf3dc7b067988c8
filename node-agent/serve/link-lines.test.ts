import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { foundLinesSchema } from '../../common/wire/found-lines.ts';
import { createSpool, type Spool } from '../../logging/spool/spool.ts';
import { lineAnswerers } from './link-lines.ts';

let folder: string;
let spool: Spool;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-found-'));
  spool = createSpool({ path: join(folder, 'spool.sqlite'), capBytes: 64e6, now: Date.now });
});
afterEach(() => {
  spool.close();
  rmSync(folder, { recursive: true });
});

test('answers what the spool still has of some numbers, whole frames, also when they were acked', () => {
  for (let i = 0; i < 5; i += 1) {
    spool.append({ tsMs: Date.now(), level: 'info', source: 'file', message: `line ${i}\0` });
    spool.flush();
  }
  const [{ epoch } = { epoch: '' }] = spool.epochs();
  const third = spool.find({ epoch, from: 2, to: 2 }, 1)[0]!.header;
  expect(spool.acked(epoch, 3, third.hash)).toBe('ok');
  spool.flush();
  const { lines } = lineAnswerers(spool);
  const found = foundLinesSchema.parse(JSON.parse(JSON.stringify(lines({ epoch, from: 1, to: 3 }))));
  const said = found.frames.map(({ header, body }) => [
    header.first,
    JSON.parse(Buffer.from(body, 'base64').toString()).message,
  ]);
  expect(said).toEqual([1, 2, 3].map((i) => [i, [`line ${i}\0`]]));
  expect(lines({ epoch: 'f'.repeat(16), from: 0, to: 9 })).toEqual({ frames: [] });
});

test.each([
  {},
  { epoch: 'x', from: 0, to: 1 },
  { epoch: '0'.repeat(16), from: -1, to: 1 },
  { epoch: '0'.repeat(16), from: 0 },
])('a question that is none is refused: %j', (args) => {
  expect(() => lineAnswerers(spool).lines(args)).toThrowError(expect.objectContaining({ code: 'bad-request' }));
});
