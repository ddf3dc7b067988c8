import { randomBytes } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { batchOf, NOW } from '../batch-of.testing.ts';
import type { Session } from './session.ts';
import { Voids } from './voids.ts';
import { Writer } from './writer.ts';

const LIMIT_BYTES = 100 * 1024 ** 2;
const [LINES_PER_BATCH, LINE_CHARACTERS] = [1_000, 1_200];
vi.setConfig({ testTimeout: 30_000 });

/** Bytes of a value as the table has it; a cell costs some more. */
function sizeOf(value: unknown): number {
  if (Buffer.isBuffer(value)) return value.length + 24;
  if (typeof value === 'string') return Buffer.byteLength(value) + 24;
  return Array.isArray(value) ? value.length * 8 + 24 : 32;
}

/** How many parameters, from the first on, are the key of the partition. */
const KEYS: Record<string, number> = {
  blocks: 2,
  slots: 1,
  seen: 3,
  places: 3,
  hashes: 2,
  gaps: 2,
  writers: 1,
  tallies: 1,
};

it('bounds every partition, whatever one agent sends within a minute', async () => {
  const sizes = new Map<string, number>();
  const write = (query: string, params: unknown[]) => {
    const table = /^INSERT INTO (\w+)/.exec(query)?.[1];
    if (table === undefined) return;
    const key = `${table} ${params.slice(0, KEYS[table]).join('/')}`;
    sizes.set(key, (sizes.get(key) ?? 0) + params.reduce((sum: number, one) => sum + sizeOf(one), 0));
  };
  const session: Session = {
    client: null as never,
    async run(query, params) {
      write(query, params);
      return [];
    },
    decide: async (query) => (query.startsWith('SELECT') ? [] : ([{ '[applied]': true }] as never)),
    async together(statements) {
      for (const { query, params } of statements) write(query, params);
    },
    async *pages() {},
    close: () => Promise.resolve(),
  };
  const keep = { error: 90_000, warn: 90_000, info: 90_000, debug: 3_600 };
  const writer = new Writer({
    ...{ session, manager: 'm', writer: 'w', keep, newestOrdinal: 0, nowMs: () => NOW },
    ...{ lane: { number: 3, mustBeOurs() {}, stop() {} }, voids: new Voids(session, 'w') },
  });
  // Worse than 10,000 lines/s of 250 letters, which are 150 MB in a minute: text that cannot be packed, of one agent.
  const texts = Array.from({ length: LINES_PER_BATCH }, () => ({
    message: randomBytes(LINE_CHARACTERS / 2)
      .toString('latin1')
      .padEnd(LINE_CHARACTERS, 'x'),
  }));
  const ofBlocks = () => [...sizes].filter(([key]) => key.startsWith('blocks '));
  const inBlocks = () => ofBlocks().reduce((sum, [, bytes]) => sum + bytes, 0);
  for (let next = 0; inBlocks() < 1.1 * LIMIT_BYTES; next += LINES_PER_BATCH)
    await writer.append([batchOf(next, texts)]);
  await writer.tallies.flush();
  expect(ofBlocks().length).toBeGreaterThan(1);
  for (const [key, bytes] of sizes) expect(bytes, key).toBeLessThan(LIMIT_BYTES);
  // The other tables have next to nothing for so many lines.
  for (const [key, bytes] of sizes) if (!key.startsWith('blocks ')) expect(bytes, key).toBeLessThan(1024 ** 2);
});
