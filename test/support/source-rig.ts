import winston from 'winston';
import type { NewLine } from '../../common/model/line.ts';
import { createOpenFiles } from '../../node-agent/sources/tail/open-files.ts';
import { createRounds } from '../../node-agent/sources/tail/rounds.ts';

/** What a source is given in its tests: lines end in a list, places in a map, both as the spool would take them. */
export function sourceRig(openFiles = 16) {
  const stored = new Map<string, string>();
  const lines: NewLine[] = [];
  const looks = new Set<() => void>();
  const faults: unknown[] = [];
  const files = createOpenFiles(openFiles);
  let rounds = newRounds();

  function newRounds() {
    return createRounds({ isBusy: () => rig.busy, onFault: (error) => faults.push(error) });
  }

  const rig = {
    lines,
    stored,
    faults,
    files,
    busy: false,
    get rounds() {
      return rounds;
    },
    log: winston.createLogger({ silent: true }),
    now: () => Date.now(),
    places: {
      get: (name: string) => stored.get(name),
      set(name: string, value: string | null) {
        if (value === null) stored.delete(name);
        else stored.set(name, value);
      },
      names: (prefix: string) => [...stored.keys()].filter((name) => name.startsWith(prefix)),
    },
    emit(line: NewLine, place?: { name: string; value: string }) {
      lines.push(line);
      if (place !== undefined) stored.set(place.name, place.value);
      for (const look of [...looks]) look();
    },
    texts: () => lines.map(({ message }) => message),
    until: (holds: () => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!holds()) return;
          looks.delete(look);
          resolve();
        };
        looks.add(look);
        look();
      }),
    count: (count: number) => rig.until(() => lines.length >= count),
    /** The agent's process is gone: another one begins. */
    renew(): void {
      rounds.stop();
      rounds = newRounds();
    },
  };
  return rig;
}
export type SourceRig = ReturnType<typeof sourceRig>;
