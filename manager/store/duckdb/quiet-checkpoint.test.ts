import { mkdtempSync, rmSync, statSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { batch, numbered } from './batch.testing.ts';
import { openLineStore } from './open.ts';

const dir = mkdtempSync(join(tmpdir(), 'webvirt-quiet-'));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a large log is worked into the file once nobody writes, and the lines are all there', async () => {
  const path = join(dir, 'lines.duckdb');
  const store = await openLineStore(path, { sealAfterMs: Infinity });
  const emptied = new Promise<void>((resolve) => {
    let seen = 0;
    const watcher = watch(dir, (_event, name) => {
      if (name !== 'lines.duckdb.wal') return;
      const size = statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0;
      if (seen > 4 * 1024 ** 2 && size < seen / 2) {
        watcher.close();
        resolve();
      }
      seen = Math.max(seen, size);
    });
  });
  for (let i = 0; i < 60; i += 1) await store.lines.append([batch(i * 2_000, numbered(i * 2_000, 2_000))]);
  await emptied;
  expect((await store.lines.stats()).lines).toBe(120_000);
  await store.close();
});
