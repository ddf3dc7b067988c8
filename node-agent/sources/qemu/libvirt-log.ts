import { basename } from 'node:path';
import type { Level, NewLine } from '../../../common/model/line.ts';
import type { Source, SourceDeps } from '../source.ts';
import { firstLook } from '../tail/began.ts';
import type { FollowConfig } from '../tail/follow-config.ts';
import { createFollower, type Shared } from '../tail/follower.ts';
import { globPaths, matchesGlob } from '../tail/glob.ts';
import { createOrphans } from '../tail/orphans.ts';

export interface LibvirtLogConfig extends FollowConfig {
  /** Absolute pattern of the logs of libvirt's own daemons. */
  libvirtLogs: string;
}

/** `2026-11-21 08:05:11.494+0000: 1234: error : virNetSocketReadWire:1791 : End of file while reading data` */
const LINE =
  /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3})\+0000: (\d+): (debug|info|warning|error) : (?:([\w.]+):(\d+) : )?/;
const LEVELS: Readonly<Record<string, Level>> = { debug: 'debug', info: 'info', warning: 'warn', error: 'error' };
const MAX_FILES = 32;
const PREFIX = 'libvirt:';

/** Makes a line of a text of libvirt's daemons; what has another shape is kept as it is. */
export function libvirtLine(text: string, of: { unit: string; nowMs: number }): NewLine | null {
  const found = LINE.exec(text);
  if (found === null)
    return text.trim() === ''
      ? null
      : { tsMs: of.nowMs, level: 'info', source: 'libvirt', unit: of.unit, message: text };
  const [head, day, time, thread, level, where] = found;
  return {
    tsMs: Date.parse(`${day}T${time}Z`),
    level: LEVELS[level!] ?? 'info',
    source: 'libvirt',
    unit: of.unit,
    message: text.slice(head.length),
    fields: { thread: Number(thread), ...(where === undefined ? {} : { function: where }) },
  };
}

/** Follows the logs of libvirtd and its siblings, where they write files (`log_outputs` in libvirtd.conf). */
export function createLibvirtLog(config: LibvirtLogConfig, deps: SourceDeps & Shared): Source {
  const first = firstLook(deps.places, `libvirt:${config.libvirtLogs}`, config.oldLogBytes);
  const orphans = createOrphans(deps, PREFIX);
  let lookMs = 0;
  const follower = createFollower(config, {
    ...deps,
    async list() {
      lookMs = deps.now();
      const paths = await globPaths(config.libvirtLogs, MAX_FILES);
      const moved = orphans.paths(lookMs, (path) => paths.includes(path));
      return [...paths, ...moved.filter((path) => matchesGlob(config.libvirtLogs, path))]
        .slice(0, MAX_FILES)
        .map((path) => {
          const unit = basename(path, '.log');
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
            line: (text: string) => libvirtLine(text, { unit, nowMs: deps.now() }),
            about: () => ({ source: 'libvirt' as const, unit }),
          };
        });
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
