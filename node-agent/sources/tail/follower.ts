import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Source, SourceDeps } from '../source.ts';
import type { OpenFiles } from './open-files.ts';
import type { Rounds, Ticket } from './rounds.ts';
import { pastNames } from './siblings.ts';
import { createStream, type Stream } from './stream.ts';
import type { StreamSpec } from './stream-spec.ts';

const MAX_WATCHED_FOLDERS = 64;
const LOOK_SOON_MS = 50;
const LOOK_PAUSE_MS = 1_000;
const LEAVE_AFTER_MS = 60_000;
const SETTLE_AT_ONCE = 8;

export interface FollowerConfig {
  /** How often everything is looked at, for changes that no notice came of. */
  lookEveryMs: number;
  graceMs?: number;
}

/** What the followers of one agent share: turns, and the files that are held open. */
export interface Shared {
  rounds: Rounds;
  files: OpenFiles;
}

/**
 * Follows the logs that `list` names now, each with a stream of its own. A log that is not named any more is read to its
 * end and left when it is gone. `poke` reads one at once.
 */
export function createFollower(
  config: FollowerConfig,
  deps: SourceDeps &
    Shared & {
      list(): Promise<StreamSpec[]>;
      /** All that `list` named has a place. */
      onLooked?(): void;
    },
): Source & { look(): Promise<void> } {
  const streams = new Map<string, { stream: Stream; ticket: Ticket }>();
  const watchers = new Map<string, FSWatcher>();
  let looking: Promise<void> | null = null;
  let looks: NodeJS.Timeout | undefined;
  let soon: NodeJS.Timeout | undefined;
  let again = false;
  let stopped = false;
  let lookedMs = 0;

  async function look(): Promise<void> {
    // What changed while we looked may have been missed.
    if (looking !== null) {
      again = true;
      return looking;
    }
    looking = lookUntilDone().finally(() => {
      looking = null;
    });
    await looking;
  }

  async function lookUntilDone(): Promise<void> {
    do {
      again = false;
      try {
        await lookOnce();
      } catch (error) {
        deps.log.warn('Logs could not be listed', { reason: String(error) });
      }
    } while (again && !stopped);
  }

  async function lookOnce(): Promise<void> {
    lookedMs = performance.now();
    const specs = await deps.list();
    if (stopped) return;
    const named = new Set(specs.map(({ name }) => name));
    for (const [name, { stream, ticket }] of streams) {
      // What is not named any more is read to its end.
      if (!stream.isGone() && (named.has(name) || stream.idleMs() < LEAVE_AFTER_MS)) continue;
      streams.delete(name);
      await ticket.leave();
      await stream.close();
    }
    await enterAll(specs.filter(({ name }) => !streams.has(name)));
    if (!stopped) deps.onLooked?.();
    for (const folder of new Set(specs.map(({ path }) => dirname(path)))) follow(folder);
    for (const { ticket } of streams.values()) ticket.poke();
    for (const folder of watchers.keys())
      if (![...streams.values()].some(({ stream }) => dirname(stream.spec.path) === folder)) unfollow(folder);
  }

  /** All of them have a place before any is read. Each folder is read once, however many logs are new in it. */
  async function enterAll(specs: readonly StreamSpec[]): Promise<void> {
    const { graceMs } = config;
    const clock = () => performance.now();
    const past = new Map<string, Promise<Map<string, string[]>>>();
    const settle = async (stream: Stream) => {
      if (stopped || !stream.isUnsettled()) return;
      const { path } = stream.spec;
      const names = past.get(dirname(path)) ?? pastNames(dirname(path));
      past.set(dirname(path), names);
      // What cannot be read now says so in its turn.
      await stream.settle((await names).get(basename(path))).catch(() => undefined);
    };
    const more = { ...deps, clock, ...(graceMs === undefined ? {} : { graceMs }) };
    const entered = specs.map((spec) => createStream(spec, more));
    for (let from = 0; from < entered.length; from += SETTLE_AT_ONCE)
      await Promise.all(entered.slice(from, from + SETTLE_AT_ONCE).map(settle));
    for (const stream of entered) streams.set(stream.spec.name, { stream, ticket: deps.rounds.enter(stream.turn) });
  }

  function follow(folder: string): void {
    if (watchers.has(folder) || watchers.size >= MAX_WATCHED_FOLDERS) return;
    try {
      const watcher = watch(folder, (event, name) =>
        heard(name === null ? null : join(folder, name), event === 'rename'),
      );
      watcher.on('error', () => unfollow(folder));
      watchers.set(folder, watcher);
    } catch {
      // No folder yet, or too many watched on this host: the next look tries again.
    }
  }

  function unfollow(folder: string): void {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  }

  function heard(path: string | null, isRenamed: boolean): void {
    let isKnown = false;
    for (const { stream, ticket } of streams.values()) {
      if (path !== null && stream.spec.path !== path) continue;
      isKnown = true;
      ticket.poke();
    }
    // Writing to a file that is none of ours tells nothing; and where files come and go all the time, not each is looked at.
    if (!isKnown && isRenamed && !stopped)
      soon ??= setTimeout(
        () => {
          soon = undefined;
          void look();
        },
        Math.max(LOOK_SOON_MS, Math.min(config.lookEveryMs, LOOK_PAUSE_MS) - (performance.now() - lookedMs)),
      );
  }

  return {
    look,
    async start() {
      await look();
      if (!stopped) looks = setInterval(() => void look(), config.lookEveryMs);
    },
    async stop() {
      stopped = true;
      clearInterval(looks);
      clearTimeout(soon);
      for (const folder of [...watchers.keys()]) unfollow(folder);
      await looking;
      for (const { stream, ticket } of streams.values()) {
        await ticket.leave();
        await stream.close();
      }
      streams.clear();
    },
  };
}
