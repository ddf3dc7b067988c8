import { basename, dirname, extname } from 'node:path';
import type { Level } from '../../../common/model/line.ts';
import { re2Engine } from '../../../common/pure/query/re2-engine.ts';
import type { Source, SourceDeps } from '../source.ts';
import { type FirstLook, firstLook } from '../tail/began.ts';
import type { FollowConfig } from '../tail/follow-config.ts';
import { createFollower, type Shared } from '../tail/follower.ts';
import { globPaths, matchesGlob, wildcard } from '../tail/glob.ts';
import type { GroupRule } from '../tail/grouper.ts';
import { createOrphans } from '../tail/orphans.ts';
import { baseOfRotated, isPacked } from '../tail/siblings.ts';
import type { StreamSpec } from '../tail/stream-spec.ts';
import { fileLine } from './file-line.ts';

/** Logs to follow, as the configuration says it. */
export interface FileRule {
  /** Absolute pattern: `*`, `?`, `**`. */
  path: string;
  /** Patterns of names that are left out. */
  exclude: readonly string[];
  /** `{name}` is the file's name without its extension, `{folder}` the folder's. */
  unit: string;
  level?: Level | undefined;
  /** RE2: where a record of several lines begins. */
  start?: string | undefined;
  startWaitMs: number;
  fields: Readonly<Record<string, string>>;
  links: boolean;
}

export interface FilesConfig extends FollowConfig {
  rules: readonly FileRule[];
  /** Most files that are followed at once. */
  limitFiles: number;
}

const PREFIX = 'file:';
const GROUP_CAP = { capBytes: 64 * 1024, capLines: 500 };

/** Follows the logs of other programs, by pattern. A file that two rules name belongs to the first. */
export function createFiles(config: FilesConfig, deps: SourceDeps & Shared): Source {
  let tooManySaid = false;
  let lookMs = 0;
  const orphans = createOrphans(deps, PREFIX);
  const rules = config.rules.map((rule) => ({
    rule,
    first: firstLook(deps.places, `file:${rule.path}`, config.oldLogBytes),
    group: groupOf(rule),
  }));

  async function list(): Promise<StreamSpec[]> {
    lookMs = deps.now();
    const specs = new Map<string, StreamSpec>();
    for (const { rule, first, group } of rules) {
      const paths = (await globPaths(rule.path, 4 * config.limitFiles)).filter((path) => isWanted(rule, path));
      const all = new Set(paths);
      for (const path of paths) {
        // The past of a log that is followed under its own name is read through that, also while there is no such file.
        const base = baseOfRotated(basename(path));
        const log = base === null ? null : `${dirname(path)}/${base}`;
        if (
          log !== null &&
          (all.has(log) || (deps.places.get(PREFIX + log) !== undefined && matchesGlob(rule.path, log)))
        )
          continue;
        if (specs.size >= config.limitFiles) {
          tooMany(rule);
          break;
        }
        if (!specs.has(path)) specs.set(path, specOf(rule, path, first, group));
      }
    }
    for (const path of orphans.paths(lookMs, (path) => specs.has(path))) {
      const of = rules.find(({ rule }) => matchesGlob(rule.path, path) && isWanted(rule, path));
      if (of === undefined || specs.size >= config.limitFiles) continue;
      specs.set(path, specOf(of.rule, path, of.first, of.group));
    }
    return [...specs.values()];
  }

  function tooMany(rule: FileRule): void {
    if (tooManySaid) return;
    tooManySaid = true;
    deps.log.warn('More files match than are followed; the rest is left out', {
      limit: config.limitFiles,
      path: rule.path,
    });
  }

  function specOf(rule: FileRule, path: string, first: FirstLook, group: GroupRule | null): StreamSpec {
    const name = basename(path, extname(path));
    const unit = rule.unit
      .replaceAll('{name}', name)
      .replaceAll('{folder}', basename(dirname(path)))
      .slice(0, 200);
    const { level, fields } = rule;
    return {
      ...config,
      name: PREFIX + path,
      path,
      firstBytes: first.bytes(),
      unseenSinceMs: first.sinceMs(),
      partialAfterMs: null,
      rewrites: false,
      group,
      followLink: rule.links,
      line: (text) => fileLine(text, { unit, level, fields, nowMs: deps.now() }),
      about: () => ({ source: 'file', unit }),
    };
  }

  const onLooked = () => {
    for (const { first } of rules) first.begun(lookMs);
  };
  const follower = createFollower(config, { ...deps, list, onLooked });
  return {
    async start() {
      orphans.forget(deps.now());
      if (rules.length > 0) await follower.start();
    },
    stop: follower.stop,
  };
}

function isWanted(rule: FileRule, path: string): boolean {
  const name = basename(path);
  return !isPacked(name) && !rule.exclude.some((pattern) => wildcard(pattern, pattern.includes('/') ? path : name));
}

function groupOf({ start, startWaitMs }: FileRule): GroupRule | null {
  if (start === undefined || start === '') return null;
  return { ...GROUP_CAP, waitMs: startWaitMs, startsRecord: re2Engine(start, { ignoreCase: false, at: 0 }) };
}
