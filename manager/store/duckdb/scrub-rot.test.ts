import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import type { UnreadableLines } from '../ports.ts';
import { batch, NOW, numbered } from './batch.testing.ts';
import { openLineStore } from './open.ts';

// A disk that gives other bytes than were written, of a file that nobody has touched: only to read it again shows that.

const disk = vi.hoisted(() => ({ rots: false }));
vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs/promises')>();
  const open: typeof real.open = async (...given) => {
    const file = await real.open(...given);
    if (!String(given[0]).endsWith('.parquet')) return file;
    const read = file.read.bind(file) as (buffer: Buffer, at: number, bytes: number, place: number) => Promise<unknown>;
    const rotten = async (buffer: Buffer, at: number, bytes: number, place: number) => {
      const answer = await read(buffer, at, bytes, place);
      if (disk.rots && place < 100) buffer[at + 50]! ^= 1;
      return answer;
    };
    file.read = rotten as unknown as FileHandle['read'];
    return file;
  };
  return { ...real, open };
});

it('a block that was whole when it was read first is read again', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-rot-'));
  let tell: (lost: UnreadableLines) => void = () => undefined;
  const told = new Promise<UnreadableLines>((resolve) => {
    tell = resolve;
  });
  const options = { sealAfterMs: Infinity, scrubEveryMs: 1, scrubShare: 1, onDamaged: tell };
  const store = await openLineStore(join(dir, 'lines.duckdb'), options);
  try {
    await store.lines.append([batch(0, numbered(0, 9_000, 1), { receivedMs: NOW + 99_999 })]);
    await store.seal();
    expect(readdirSync(join(dir, 'lines'))).toContainEqual(expect.stringMatching(/\.parquet$/));
    expect(await store.lines.count({ q: 'm' })).toBe(9_000);
    disk.rots = true;
    expect(await told).toMatchObject({ lines: 8_192, fromMs: NOW });
    expect((await store.lines.stats()).unreadable).toMatchObject([{ lines: 8_192 }]);
  } finally {
    disk.rots = false;
    await store.close();
    rmSync(dir, { recursive: true });
  }
});
