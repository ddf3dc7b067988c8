import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { queryOf } from '../../../common/pure/query/filter.ts';
import { compileMatcher } from '../../../common/pure/query/match.ts';
import { re2Engine } from '../../../common/pure/query/re2-engine.ts';
import { BatchRow } from '../../../common/pure/query/row.ts';
import { batchOf } from '../batch-of.testing.ts';
import { gramsOf, mayHold, wantedOf } from './block-grams.ts';

let seed = 9;
const random = (limit: number) => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * limit);
};
const PARTS = [
  'disk',
  'Disk',
  'ΣΊΣΥΦΟΣ',
  'İstanbul',
  'straße',
  'ſ',
  '\u212a',
  '日本',
  '😀',
  '\ud83d',
  '\x1e',
  '\n',
  ' ',
];
const part = () => (random(3) === 0 ? random(5_000).toString(36) : PARTS[random(PARTS.length)]!);
const text = (parts: number) => Array.from({ length: parts }, part).join('');

function blockOf() {
  const lines = Array.from({ length: 40 }, () => ({
    message: text(60),
    ...(random(3) === 0 ? { unit: text(2) } : {}),
    ...(random(3) === 0 ? { instance: text(2) } : {}),
  }));
  const batch = batchOf(0, lines, { hostName: 'Straße 1' });
  return { lines, batch, columns: batch.columns!, grams: gramsOf(batch.columns!, batch)! };
}

it('never says of a block that a line which matches is not in it', () => {
  const blocks = Array.from({ length: 12 }, blockOf);
  const said = { held: 0, refused: 0 };
  for (let round = 0; round < 600; round += 1) {
    const { lines } = blocks[random(blocks.length)]!;
    const line = lines[random(lines.length)]!;
    const from = random(line.message.length);
    const piece = line.message.slice(from, from + 1 + random(24));
    const word = JSON.stringify(random(2) === 0 ? piece : piece.toUpperCase());
    const plain = piece.replaceAll(/[^a-zA-Z0-9]/g, '.');
    const unit = JSON.stringify('unit' in line ? line.unit : 'none');
    const q = [word, `/${plain}/`, `/${plain}/i`, `unit:${unit}`, `host:"STRASSE 1"`, `-${word}`, 'host:a1'][
      random(7)
    ]!;
    const matches = compileMatcher(queryOf({ q }), re2Engine);
    const wanted = wantedOf({ q });
    for (const { batch, columns, grams } of blocks) {
      const row = new BatchRow(batch, columns);
      let isThere = false;
      for (row.i = 0; row.i < columns.n && !isThere; row.i += 1) isThere = matches(row);
      const may = mayHold(wanted, grams);
      if (isThere) expect(may, q).toBe(true);
      else said[may ? 'held' : 'refused'] += 1;
    }
  }
  expect(said.refused).toBeGreaterThan(3 * said.held);
});

it('marks texts as ever: filters that are stored would say of what is there that it is not', () => {
  const message = 'Started session 17 of user root from 10.0.3.4; GET /api/v1/instances 200 in 13 ms. '.repeat(60);
  const batch = batchOf(0, [{ message, unit: 'sshd.service' }]);
  const grams = gramsOf(batch.columns!, batch)!;
  // When this differs, KIND must be another: old filters are then not asked.
  expect([grams[0], createHash('sha256').update(grams).digest('hex').slice(0, 16)]).toEqual([1, '566c371f5bee426f']);
});
