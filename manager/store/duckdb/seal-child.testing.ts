import { batch, EPOCH, numbered } from './batch.testing.ts';
import { openLineStore } from './open.ts';
import type { MendPoint, SealPoint } from './sealer.ts';

/** What a child that seals and is killed is told. */
export interface SealOrder {
  path: string;
  /** Kill at this pass of a point; null: go on until told to stop. */
  kill: { at: SealPoint | MendPoint; pass: number } | null;
  /** Tidies up again and again: after each of many small files, or of a large table. */
  tidy?: 'files' | 'database';
}

const PER_BATCH = 300;

const BATCHES_OF_SEAL = 10;
const LONG = 'x'.repeat(3_000);

const long = (next: number) =>
  numbered(next, PER_BATCH, 1).map((line) => ({ ...line, message: `${line.message} ${LONG}` }));

/** Stores numbered lines and seals them all the time, until it kills itself. Tells what is durable. */
async function main(): Promise<void> {
  const { path, kill, tidy } = JSON.parse(process.argv[2]!) as SealOrder;
  let passes = 0;
  const store = await openLineStore(path, {
    sealLines: tidy === undefined ? 1_000 : 100_000,
    // Every commit goes into the file, and leaves free room when it is sealed.
    ...(tidy === 'database' ? { checkpointBytes: 1_024 ** 2, freeBytes: 1 } : {}),
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
    await store.lines.append([
      batch(next, tidy === 'database' ? long(next) : numbered(next, PER_BATCH, 1), { receivedMs: Date.now() }),
    ]);
    next += PER_BATCH;
    process.send?.({ next });
    if (tidy === 'files' || (tidy === 'database' && (next / PER_BATCH) % BATCHES_OF_SEAL === 0)) {
      await store.seal();
      await store.tidy();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

if (process.argv[2] !== undefined && process.send !== undefined) await main();
