import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Source, SourceDeps } from '../source.ts';
import { firstLook } from '../tail/began.ts';
import type { FollowConfig } from '../tail/follow-config.ts';
import { createFollower, type Shared } from '../tail/follower.ts';
import { createOrphans } from '../tail/orphans.ts';
import type { StreamSpec } from '../tail/stream-spec.ts';
import { qemuLine, uuidInLine } from './qemu-line.ts';

export interface QemuLogConfig extends FollowConfig {
  /** libvirt's folder of one log per domain, `/var/log/libvirt/qemu`. */
  qemuLogDir: string;
}

const LOG = /^(.+)\.log$/;
const PREFIX = 'qemu:';

/** Follows libvirt's log of every domain. `idOf` tells the UUID of the instance that has a name now. */
export function createQemuLog(
  config: QemuLogConfig,
  deps: SourceDeps & Shared & { idOf(name: string): string | undefined },
): Source {
  const first = firstLook(deps.places, `qemu:${config.qemuLogDir}`, config.oldLogBytes);
  const orphans = createOrphans(deps, PREFIX);
  let lookMs = 0;

  function specOf(name: string): StreamSpec {
    const path = join(config.qemuLogDir, name);
    const unit = LOG.exec(name)?.[1] ?? name;
    return {
      ...config,
      name: PREFIX + path,
      path,
      firstBytes: first.bytes(),
      unseenSinceMs: first.sinceMs(),
      partialAfterMs: null,
      rewrites: false,
      group: null,
      followLink: false,
      // A log is named after the domain as it was called at its start; the UUID in it is surer.
      line(text, memo) {
        memo.note = uuidInLine(text) ?? memo.note;
        return qemuLine(text, { unit, instance: memo.note ?? deps.idOf(unit), nowMs: deps.now() });
      },
      about(memo) {
        const instance = memo.note ?? deps.idOf(unit);
        return { source: 'qemu', unit, ...(instance === undefined ? {} : { instance }) };
      },
    };
  }

  const follower = createFollower(config, {
    ...deps,
    async list() {
      lookMs = deps.now();
      const names: string[] = await readdir(config.qemuLogDir).catch(() => []);
      const all = new Set(names);
      for (const path of orphans.paths(lookMs, (path) => all.has(basename(path))))
        if (dirname(path) === config.qemuLogDir) all.add(basename(path));
      return [...all].filter((name) => LOG.test(name)).map(specOf);
    },
    onLooked: () => first.begun(lookMs),
  });
  return {
    async start() {
      orphans.forget(deps.now());
      await follower.start();
    },
    stop: follower.stop,
  };
}
