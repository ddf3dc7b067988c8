import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLineStore } from './duckdb/open.ts';
import { lineStoreContract } from './lines-contract.testing.ts';

lineStoreContract('The embedded store', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-contract-'));
  const path = join(dir, 'lines.duckdb');
  let store = await openLineStore(path);
  return {
    lines: () => store.lines,
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
