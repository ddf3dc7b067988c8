import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { NewLine } from '../../../common/model/line.ts';
import { guessLevelOfText } from '../files/guess-level.ts';
import type { Source, SourceDeps } from '../source.ts';
import { firstLook, forgetGone } from '../tail/began.ts';
import type { FollowConfig } from '../tail/follow-config.ts';
import { createFollower, type Shared } from '../tail/follower.ts';
import type { StreamSpec } from '../tail/stream-spec.ts';
import { type ConsoleTurn, createConsoleLife } from './console-life.ts';
import { consoleText } from './console-text.ts';

/** An instance as far as its console goes. */
export interface ConsoleInstance {
  id: string;
  name: string;
  state: string;
  stateReason?: string | undefined;
}

/** What consoles need of libvirt. */
export interface ConsoleInstances {
  instances(): readonly ConsoleInstance[];
  /** False until the whole list was read once. */
  listed(): boolean;
  /** Calls back when something changed; returns the unsubscribe function. */
  on(handler: () => void): () => void;
  /** Calls back when libvirt told of a turn in the life of a guest; returns the unsubscribe function. */
  onTurn(handler: (turn: ConsoleTurn) => void): () => void;
  /** libvirt's number of the run of each guest that runs now; null when that could not be read. */
  runs(): Promise<ReadonlyMap<string, string> | null>;
  /** The file that libvirt writes a serial console to; null when it writes none; undefined when that could not be read. */
  logFile(id: string): Promise<{ present: boolean; logFile: string | null } | undefined>;
}

export interface ConsoleLogConfig extends FollowConfig {
  consoleLogDir: string;
  partialAfterMs: number;
  /** The name of this host, for people. */
  hostName: string;
}

interface Known {
  name: string;
  /** Undefined until it was read; null when the console is not kept. */
  path: string | null | undefined;
  isOn: boolean;
}

const INCOMING = new Set(['migrating', 'starting up']);
const ARRIVED = new Set(['migrated', 'post-copy']);
const AT = 'console-at:';
const HINT = 'console-hint:';

/**
 * The serial console of every instance as one stream of lines, as long as the instance lives: libvirt writes what a guest
 * prints to a file beside the pty (`<log file=… append='on'/>`), and that file is followed. Where an instance goes on after
 * a live migration a line says so, before its first line from there; others say where its guest was started or reset, or crashed.
 */
export function createConsoleLog(
  config: ConsoleLogConfig,
  deps: SourceDeps & Shared & { consoles: ConsoleInstances },
): Source {
  const { consoles, places } = deps;
  const known = new Map<string, Known>();
  const first = firstLook(places, `console:${config.consoleLogDir}`, config.oldLogBytes);
  const life = createConsoleLife({
    ...{ ...deps, hostName: config.hostName, runs: consoles.runs },
    instance: (id) => consoles.instances().find((instance) => instance.id === id),
  });
  const leaves: (() => void)[] = [];
  /** When the look under way began; null while not all instances are known. */
  let lookMs: number | null = null;
  let started: Promise<void> = Promise.resolve();

  async function list(): Promise<StreamSpec[]> {
    const nowMs = deps.now();
    const all = consoles.instances();
    if (consoles.listed()) forget(new Set(all.map(({ id }) => id)));
    const specs: StreamSpec[] = [];
    for (const instance of all) {
      const path = await pathOf(instance);
      if (path === null || path === undefined || !hasArrived(instance)) continue;
      life.see(instance);
      specs.push(specOf(instance.id, path));
    }
    lookMs = consoles.listed() ? nowMs : null;
    return specs;
  }

  async function pathOf({ id, name, state }: ConsoleInstance): Promise<string | null | undefined> {
    const isOn = state === 'running' || state === 'paused';
    const old = known.get(id);
    // A start may have another definition.
    const path = old === undefined || (isOn && !old.isOn) ? undefined : old.path;
    const now: Known = { name, path, isOn };
    known.set(id, now);
    if (path !== undefined) return path;
    const usual = join(config.consoleLogDir, `${id}.log`);
    if (existsSync(usual)) now.path = usual;
    else {
      const port = await consoles.logFile(id);
      if (port === undefined) return undefined;
      now.path = port.logFile;
      if (port.present && port.logFile === null) hint(id, name);
    }
    return now.path;
  }

  /** Says once for an instance what to do so that its console is kept. */
  function hint(id: string, name: string): void {
    if (places.get(HINT + id) !== undefined) return;
    const message =
      "The serial console of this instance is not kept. To keep it, add <log file='/var/log/libvirt/consoles/" +
      `${id}.log' append='on'/> to its <serial type='pty'> with virsh edit, and start it anew`;
    deps.emit(lineOf(id, name, message, { hint: 'console-log' }), { name: HINT + id, value: '1' });
  }

  /** False while an instance is only coming in. Marks the stream where it goes on here after a move. */
  function hasArrived({ id, name, state, stateReason = '' }: ConsoleInstance): boolean {
    if (places.get(AT + id) !== undefined) return true;
    if (state === 'paused' && INCOMING.has(stateReason)) return false;
    const place = { name: AT + id, value: '1' };
    if (!ARRIVED.has(stateReason)) places.set(place.name, place.value);
    else
      deps.emit(
        lineOf(id, name, `The console goes on on host ${config.hostName}`, { marker: 'moved', host: config.hostName }),
        place,
      );
    return true;
  }

  /** What is not on this host any more. Should it come back, that is a move again. */
  function forget(here: ReadonlySet<string>): void {
    life.forget(here);
    for (const id of known.keys()) if (!here.has(id)) known.delete(id);
    for (const prefix of [AT, HINT])
      for (const name of places.names(prefix)) if (!here.has(name.slice(prefix.length))) places.set(name, null);
  }

  function lineOf(id: string, name: string, message: string, fields: NonNullable<NewLine['fields']>): NewLine {
    return { tsMs: deps.now(), level: 'info', source: 'console', unit: name, instance: id, message, fields };
  }

  function specOf(id: string, path: string): StreamSpec {
    let unit = id;
    const about = () => {
      unit = known.get(id)?.name ?? unit;
      return { source: 'console' as const, unit, instance: id };
    };
    return {
      ...config,
      name: `console:${id}:${path}`,
      path,
      firstBytes: first.bytes(),
      unseenSinceMs: first.sinceMs(),
      rewrites: true,
      group: null,
      followLink: false,
      line(raw) {
        const message = consoleText(raw);
        return message === '' ? null : { ...about(), tsMs: deps.now(), level: guessLevelOfText(message), message };
      },
      about,
    };
  }

  const onLooked = () => {
    if (lookMs !== null) first.begun(lookMs);
  };
  const follower = createFollower(config, { ...deps, list, onLooked });
  return {
    async start() {
      forgetGone(places, 'console:', deps.now());
      leaves.push(
        consoles.on(() => void follower.look()),
        consoles.onTurn((turn) => {
          life.turn(turn);
          void follower.look();
        }),
      );
      // Reading many definitions takes a while; nobody waits for it.
      started = follower.start();
    },
    async stop() {
      for (const leave of leaves.splice(0)) leave();
      await follower.stop();
      await started;
      await life.settled();
    },
  };
}
