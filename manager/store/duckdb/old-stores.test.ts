import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Line } from '../../../common/model/line.ts';
import { batch, numbered } from './batch.testing.ts';
import { openLineStore } from './open.ts';

/**
 * Stores that earlier versions of the program wrote, one closed and one as a kill left it, by the names of their files, in
 * base64; and what those versions read from them.
 */
interface OldStore {
  expected: { all: Line[]; page: string[]; cursors: Record<string, unknown> };
  closed: Record<string, string>;
  killed: Record<string, string>;
}

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'webvirt-old-store-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe.each([1, 2])('L17: a store of schema %i', (version) => {
  const name = join(import.meta.dirname, 'old-stores', `schema-${version}.json.gz`);
  const old = JSON.parse(gunzipSync(readFileSync(name)).toString('utf8')) as OldStore;

  it.each(['closed', 'killed'] as const)(
    'that was %s is brought up with every line, cursor and sample',
    async (how) => {
      for (const [file, bytes] of Object.entries(old[how])) {
        mkdirSync(dirname(join(dir, file)), { recursive: true });
        writeFileSync(join(dir, file), Buffer.from(bytes, 'base64'));
      }
      const { all, page, cursors } = old.expected;
      const notes: unknown[] = [];
      const note = (what: unknown) => void notes.push(what);
      const open = () =>
        openLineStore(join(dir, 'lines.duckdb'), {
          sealAfterMs: Infinity,
          onSetAside: note,
          onAdopted: note,
          onDamaged: note,
        });
      let store = await open();
      const check = async () => {
        expect((await store.lines.since({}, 0, 1e4)).lines).toEqual(all);
        expect((await store.lines.query({}, { limit: 1e4 })).lines.map(({ id }) => id)).toEqual(page);
        for (const [agent, known] of Object.entries(cursors)) expect(await store.lines.cursors(agent)).toEqual(known);
        for (const { id, message } of all.slice(0, 20)) expect((await store.lines.get(id))?.message).toBe(message);
        expect(await store.lines.count({})).toBe(all.length);
      };
      await check();
      const [series] = await store.samples.series('host', { fromMs: 0, points: 10 });
      expect(series).toMatchObject({ id: 'h1' });
      await store.seal();
      await check();
      await store.close();
      store = await open();
      await check();
      await store.lines.append([batch(0, numbered(0, 3), { agent: 'new' })]);
      expect(await store.lines.count({})).toBe(all.length + 3);
      await store.close();
      expect(notes).toEqual([]);
    },
  );
});
