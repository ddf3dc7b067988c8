import { batch, EPOCH, numbered } from './batch.testing.ts';
import { openLineStore } from './open.ts';
import type { SealPoint } from './sealer.ts';

/** What a child that seals and is killed is told. */
export interface SealOrder {
  path: string;
  /** Kill at this pass of a point; null: go on until told to stop. */
  kill: { at: SealPoint | 'retain'; pass: number } | null;
}

const PER_BATCH = 300;

/** Stores numbered lines and seals them all the time, until it kills itself. Tells what is durable. */
async function main(): Promise<void> {
  const { path, kill } = JSON.parse(process.argv[2]!) as SealOrder;
  let passes = 0;
  const store = await openLineStore(path, {
    sealLines: 1_000,
    sealFailpoint(name) {
      if (name !== kill?.at) return;
      passes += 1;
      if (passes === kill.pass) process.kill(process.pid, 'SIGKILL');
    },
    onSealFailed: (error) => process.send?.({ error: String(error) }),
  });
  const [cursor] = await store.lines.cursors('a1');
  let next = cursor?.epoch === EPOCH ? cursor.next : 0;
  for (;;) {
    await store.lines.append([batch(next, numbered(next, PER_BATCH, 1), { receivedMs: Date.now() })]);
    next += PER_BATCH;
    process.send?.({ next });
    await new Promise((resolve) => setImmediate(resolve));
  }
}

if (process.argv[2] !== undefined && process.send !== undefined) await main();
