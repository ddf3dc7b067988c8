import { createQemuLog } from './qemu-log.ts';
import { createRateLimit } from './rate-limit.ts';
import type { Source, SourceDeps } from './source.ts';

export interface SourcesConfig {
  qemuLogDir: string;
  /** A file in the agent's data folder. */
  positionsPath: string;
  /** Above this rate a log loses lines, and says how many. Default 2,000 a second, 10,000 at once. */
  linesPerSecond?: number;
}

/** All sources of this host that are files. libvirt's own events come from the hypervisor. */
export function createSources(
  config: SourcesConfig,
  deps: SourceDeps & { idOf(name: string): string | undefined },
): Source {
  const linesPerSecond = config.linesPerSecond ?? 2_000;
  const limit = createRateLimit({ linesPerSecond, burst: 5 * linesPerSecond }, deps);
  const list: Source[] = [
    createQemuLog(config, { ...deps, emit: (line) => limit.emit(`${line.source} ${line.unit ?? ''}`, line) }),
  ];
  return {
    async start() {
      for (const source of list) await source.start();
    },
    async stop() {
      for (const source of list.toReversed()) await source.stop();
      limit.flush();
    },
  };
}
