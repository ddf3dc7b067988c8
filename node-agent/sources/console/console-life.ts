import type { NewLine } from '../../../common/model/line.ts';
import type { SourceDeps } from '../source.ts';
import type { ConsoleInstance } from './console-log.ts';

const LIFE = 'console-life:';
/** A start that was seen, and libvirt's word of it, are at most so far apart. */
const SAME_START_MS = 2_000;
/** QEMU tells one reset more than once, some hundredths of a second apart; no guest boots in this time. */
const SAME_RESET_MS = 1_000;
const isOn = (state: string | undefined) => state === 'running' || state === 'paused';
/** Of a guest that runs, by the number that libvirt gave to this run; `?` where it could not be read. */
const running = (run: string | undefined) => `on:${run ?? '?'}`;

/** A turn that libvirt told as an event; see the agent's `console` for where they come from. */
export interface ConsoleTurn {
  id: string;
  kind: 'started' | 'reset' | 'crashed';
  tsMs: number;
}

export interface ConsoleLifeDeps extends Pick<SourceDeps, 'places' | 'emit' | 'now'> {
  hostName: string;
  /** An instance as it is now; undefined for one that is not here. */
  instance(id: string): ConsoleInstance | undefined;
  /** libvirt's number of the run of each guest that runs now; null when that could not be read. */
  runs(): Promise<ReadonlyMap<string, string> | null>;
}

/**
 * Marks the stream of a console where its guest begins anew: started, reset, or crashed. What was marked last is kept with the
 * mark, so that each turn is marked once; a start that nobody saw is known by libvirt's number of the run.
 */
export function createConsoleLife(deps: ConsoleLifeDeps) {
  const { places, now, hostName } = deps;
  /** Guests whose run was compared since it began. */
  const compared = new Set<string>();
  /** When libvirt told of a start that is not marked yet. */
  const startedMs = new Map<string, number>();
  /** The start that was marked last, and the last reset. */
  const lastStart = new Map<string, { tsMs: number; run: string | undefined }>();
  const lastResetMs = new Map<string, number>();
  const first = new Set<string>();
  let asking: Promise<void> = Promise.resolve();

  function mark(id: string, kind: ConsoleTurn['kind'], message: string, tsMs: number, value?: string): void {
    const line: NewLine = {
      ...{ tsMs, level: kind === 'crashed' ? 'error' : 'info', source: 'console', unit: deps.instance(id)?.name ?? id },
      ...{ instance: id, message: `${message} on host ${hostName}`, fields: { marker: kind, host: hostName } },
    };
    deps.emit(line, value === undefined ? undefined : { name: LIFE + id, value });
  }

  /** Whether a start is the one that was marked: what was seen of it and libvirt's word come in any order. */
  function isLastStart(id: string, run: string | undefined, tsMs: number): boolean {
    const last = lastStart.get(id);
    if (last === undefined || Math.abs(tsMs - last.tsMs) > SAME_START_MS) return false;
    return run === undefined || last.run === undefined || run === last.run;
  }

  function reset(id: string, tsMs: number): void {
    if (Math.abs(tsMs - (lastResetMs.get(id) ?? -Infinity)) <= SAME_RESET_MS) return;
    lastResetMs.set(id, tsMs);
    mark(id, 'reset', 'The instance was reset', tsMs);
  }

  function crashed(id: string, tsMs: number): void {
    mark(id, 'crashed', 'The instance crashed', tsMs, 'crashed');
    compared.delete(id);
    lastStart.delete(id);
  }

  /** Compares the run of a guest that is on with the one that was marked. */
  async function compare(id: string): Promise<void> {
    const runs = await deps.runs().catch(() => null);
    const run = runs?.get(id);
    const was = places.get(LIFE + id);
    const isFirst = !first.has(id);
    first.add(id);
    // Off again, or fallen over: what is seen next compares anew.
    if (!compared.has(id)) return;
    if (!isOn(deps.instance(id)?.state)) return void compared.delete(id);
    const toldMs = startedMs.get(id);
    startedMs.delete(id);
    const isUnclear = run === undefined || was === running(undefined);
    if (was === undefined || (was.startsWith('on:') && isUnclear && toldMs === undefined))
      places.set(LIFE + id, running(run));
    else if (was !== running(run) || run === undefined) {
      const tsMs = toldMs ?? now();
      const isMarked = isLastStart(id, run, tsMs);
      lastStart.set(id, { tsMs, run: run ?? (isMarked ? lastStart.get(id)?.run : undefined) });
      if (isMarked) return places.set(LIFE + id, running(run));
      const unseen = isFirst && toldMs === undefined && was.startsWith('on:') ? ', while the agent was not there,' : '';
      mark(id, 'started', `The instance was started${unseen}`, tsMs, running(run));
    }
  }

  return {
    /** Takes an instance as it was when a look at all of them began. */
    see({ id, state }: ConsoleInstance): void {
      const was = places.get(LIFE + id);
      if (isOn(state)) {
        if (compared.has(id)) return;
        compared.add(id);
        asking = asking.then(() => compare(id));
        return;
      }
      if (state !== 'shutoff' && state !== 'saved' && state !== 'crashed') return;
      compared.delete(id);
      first.add(id);
      if (state !== 'crashed') {
        if (was !== 'crashed') places.set(LIFE + id, 'off');
      } else if (was === undefined) places.set(LIFE + id, 'crashed');
      else if (was !== 'crashed') crashed(id, now());
    },
    /** Takes what libvirt told; before the instance was marked here first, nothing is to be told. */
    turn({ id, kind, tsMs }: ConsoleTurn): void {
      const was = places.get(LIFE + id);
      if (was === undefined) return;
      if (kind === 'reset') reset(id, tsMs);
      else if (kind === 'crashed') {
        // A start that failed ends so too.
        if (was.startsWith('on:')) crashed(id, tsMs);
      } else {
        startedMs.set(id, tsMs);
        compared.delete(id);
      }
    },
    /** Forgets the instances that are not on this host any more. */
    forget(here: ReadonlySet<string>): void {
      for (const name of places.names(LIFE)) {
        const id = name.slice(LIFE.length);
        if (here.has(id)) continue;
        places.set(name, null);
        compared.delete(id);
        for (const map of [startedMs, lastStart, lastResetMs]) map.delete(id);
        first.delete(id);
      }
    },
    /** Resolves when everything that was taken is marked. */
    settled: () => asking,
  };
}
