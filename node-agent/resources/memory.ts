import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentInstance } from '../../common/model/instance.ts';

/** What the host keeps for itself beside its instances. */
const RESERVE_BYTES = 256 * 1024 * 1024;
/** What QEMU itself takes beside the memory of its guest. */
export const OVERHEAD_BYTES = 48 * 1024 * 1024;

/**
 * Memory that could be given to a new instance. A guest takes its memory only as it touches it, so what the running
 * ones have not taken yet is not free either. `used` is by UUID what their processes hold, as last measured.
 */
export async function availableMemoryBytes(
  procDir: string,
  instances: readonly Pick<AgentInstance, 'id' | 'state' | 'memoryBytes'>[],
  used: ReadonlyMap<string, number>,
): Promise<number> {
  const text = await readFile(join(procDir, 'meminfo'), 'latin1').catch(() => '');
  const availableBytes = Number(/^MemAvailable: +(\d+)/m.exec(text)?.[1] ?? 0) * 1_024;
  const promisedBytes = instances
    .filter(({ state }) => state === 'running' || state === 'paused')
    .reduce((sum, { id, memoryBytes }) => sum + Math.max(0, memoryBytes - (used.get(id) ?? 0)), 0);
  return Math.max(0, Math.floor(availableBytes - promisedBytes - RESERVE_BYTES));
}
