import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lineStoreContract } from '../lines-contract.testing.ts';
import { openLineStore } from './open.ts';

/** Some batches are sealed as they are stored: what is read comes from files and new lines. */
lineStoreContract('The embedded store while it seals', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-sealed-contract-'));
  const path = join(dir, 'lines.duckdb');
  let store = await openLineStore(path);
  let appends = 0;
  return {
    lines: () => ({
      ...store.lines,
      async append(batches) {
        const committed = await store.lines.append(batches);
        if (appends % 6 === 0) await store.seal();
        appends += 1;
        return committed;
      },
    }),
    async reopen() {
      await store.close();
      store = await openLineStore(path);
    },
    async remove() {
      await store.close();
      rmSync(dir, { recursive: true });
    },
  };
});
