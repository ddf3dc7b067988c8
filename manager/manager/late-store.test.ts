import { expect, it } from 'vitest';
import { isWebvirtError } from '../../common/errors.ts';
import { createLateStore, type OpenedStore } from './late-store.ts';

function opened(onClose: () => void = () => {}): OpenedStore {
  const lines = { stats: async () => ({ lines: 7, bytesOnDisk: 0, oldestMs: null }), newestOrdinal: () => 42 };
  return { lines, samples: {}, close: async () => onClose() } as unknown as OpenedStore;
}

it('refuses every call until it is open, and does not make the start wait for it', async () => {
  let open: (store: OpenedStore) => void = () => undefined;
  const late = createLateStore(
    () => new Promise<OpenedStore>((resolve) => (open = resolve)),
    () => undefined,
  );
  await late.open(1);
  expect(late.waiting()).toBe('being opened');
  expect(late.lines.newestOrdinal()).toBe(0);
  const refusal = await late.lines.stats().catch((error: unknown) => error);
  expect(isWebvirtError(refusal, 'store-unavailable')).toBe(true);
  await expect(late.samples.append([])).rejects.toThrow('not ready');
  open(opened());
  await new Promise((resolve) => setImmediate(resolve));
  expect(late.waiting()).toBeNull();
  expect((await late.lines.stats()).lines).toBe(7);
  expect(late.lines.newestOrdinal()).toBe(42);
});

it('tries again after a failure and says why it waits', async () => {
  const failures: unknown[] = [];
  let tries = 0;
  const late = createLateStore(
    async () => {
      tries += 1;
      if (tries === 1) throw new Error('disk full');
      return opened();
    },
    (error) => failures.push(error),
  );
  await late.open(10_000);
  expect(late.waiting()).toBe('disk full');
  await expect.poll(() => late.waiting()).toBeNull();
  expect([tries, failures.length]).toEqual([2, 1]);
  await late.close();
});

it('closes what was still being opened when it was told to close', async () => {
  let open: (store: OpenedStore) => void = () => undefined;
  let closed = 0;
  const late = createLateStore(
    () => new Promise<OpenedStore>((resolve) => (open = resolve)),
    () => undefined,
  );
  await late.open(1);
  const closing = late.close();
  open(opened(() => void closed++));
  await closing;
  expect([closed, late.opened()]).toEqual([1, null]);
});
