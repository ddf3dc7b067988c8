import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { batch, NOW } from './batch.testing.ts';
import { damageStorm } from './damage-storm.testing.ts';
import { openLineStore } from './open.ts';

it('L16: answers what is left and says what is not, whatever becomes of a sealed file', async () => {
  const { lossy, problems } = await damageStorm({ rounds: 40, seed: 20_261_121 });
  expect(problems).toEqual([]);
  expect(lossy).toBeGreaterThan(5);
}, 120_000);

it('L16: deletes a damaged file when its time has come, and thins it not', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-damage-'));
  const lost: number[] = [];
  const onDamaged = ({ lines }: { lines: number }) => void lost.push(lines);
  const store = await openLineStore(join(dir, 'lines.duckdb'), { sealAfterMs: Infinity, onDamaged });
  try {
    // More than one row group: the first is damaged.
    const lines = Array.from(
      { length: 30_000 },
      (_, i) => ({ message: `m${i}`, level: i % 2 ? 'info' : 'debug' }) as const,
    );
    await store.lines.append([batch(0, lines)]);
    await store.seal();
    const name = readdirSync(join(dir, 'lines')).find((one) => one.endsWith('.parquet'))!;
    const path = join(dir, 'lines', name);
    const bytes = readFileSync(path);
    bytes[100]! ^= 1;
    writeFileSync(path, bytes);
    const left = await store.lines.count({ q: 'm' });
    expect(left).toBeGreaterThan(0);
    expect(lost).toEqual([30_000 - left]);
    expect(await store.retain({ receivedBeforeMs: NOW, levelsBeforeMs: { debug: NOW + 99 } })).toBeNull();
    expect(await store.lines.count({ q: 'm' })).toBe(left);
    expect(await store.retain({ receivedBeforeMs: NOW + 99 })).toMatchObject({ lines: left });
    expect(await store.lines.count({ q: 'm' })).toBe(0);
  } finally {
    await store.close();
    rmSync(dir, { recursive: true });
  }
});
