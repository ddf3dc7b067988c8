import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { batch, numbered } from './batch.testing.ts';
import { openLineStore } from './open.ts';

/** A file system of its own that is small enough to fill: only root may make one. */
const dir = mkdtempSync(join(tmpdir(), 'webvirt-full-'));
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', dir]).status === 0;
afterAll(() => {
  if (mounted) spawnSync('umount', ['--', dir]);
  rmSync(dir, { recursive: true });
});

describe.runIf(mounted)('a full disk', () => {
  it('refuses lines, still answers, and takes them again when there is space, without a restart', async () => {
    const filler = join(dir, 'filler');
    writeFileSync(filler, Buffer.alloc(10 * 1024 ** 2));
    const store = await openLineStore(join(dir, 'lines.duckdb'));
    const text = 'x'.repeat(1_000);
    let next = 0;
    const append = async () => {
      const lines = numbered(next, 500).map((line) => ({
        ...line,
        message: `${line.message} ${text}${Math.random()}`,
      }));
      await store.lines.append([batch(next, lines)]);
      next += lines.length;
    };
    let failed = 0;
    for (let i = 0; i < 100 && failed < 3; i += 1) {
      try {
        await append();
      } catch {
        failed += 1;
      }
    }
    expect(failed).toBe(3);
    expect((await store.lines.cursors('a1'))[0]?.next).toBe(next);
    expect((await store.lines.query({}, { limit: 1 })).lines[0]?.message).toMatch(new RegExp(`^m${next - 1} `));
    rmSync(filler);
    await append();
    expect((await store.lines.since({}, 0, 1e6)).lines).toHaveLength(next);
    await store.close();
  });
});
