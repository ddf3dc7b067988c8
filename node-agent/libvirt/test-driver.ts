import type { AgentInstance } from '../../common/model/instance.ts';
import type { Ask } from './domain-reader.ts';
import type { GuestUse } from './guest-processes.ts';
import { parseDominfo } from './virsh-text.ts';

/** The test driver has no processes; it makes numbers up, and they are shown as it tells them. */
export async function testDriverUse(ask: Ask, running: readonly AgentInstance[]): Promise<Map<string, GuestUse>> {
  const use = new Map<string, GuestUse>();
  for (const { id } of running) {
    const info = await ask(['dominfo', '--', id]).then(
      (answer) => parseDominfo(answer.stdout),
      () => null,
    );
    if (info !== null && info.uuid === id)
      use.set(id, { cpuSeconds: info.cpuTimeSeconds, memoryUsedBytes: info.usedMemoryBytes });
  }
  return use;
}
