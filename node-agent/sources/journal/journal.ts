import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { LEVELS, type NewLine } from '../../../common/model/line.ts';
import { backoffMs } from '../../libvirt/backoff.ts';
import type { Source, SourceDeps } from '../source.ts';
import { wildcard } from '../tail/glob.ts';
import { type Entry, entriesBetween, parseEntry } from './entry.ts';
import { type From, type Reader, startReader } from './reader.ts';
import { createUnitLimit, type Dropped } from './unit-limit.ts';

export interface JournalConfig {
  journalctl: string;
  /** A directory of journal files; empty: those of this host. */
  directory: string;
  /** Entries from before the first start that are read. */
  past: number;
  /** Patterns of units that are left out. */
  exclude: readonly string[];
  linesPerSecond: number;
  lineCapBytes: number;
}

const droppedSchema = z.object({ count: z.number(), worst: z.enum(LEVELS), firstMs: z.number(), lastMs: z.number() });
const placeSchema = z.object({
  cursor: z.string(),
  realtimeUs: z.number(),
  untold: z.record(z.string(), droppedSchema).optional(),
});
type Place = z.infer<typeof placeSchema>;
const TELL_MS = 5_000;
const VACUUMED = 'The journal does not have the entry any more at which it was left; entries between may be missing';
const PLACE = 'journal:';

/** Follows the journal of systemd from where it was left, through journalctl. */
export function createJournal(config: JournalConfig, deps: SourceDeps & { isBusy(): boolean }): Source {
  const name = `${PLACE}${config.directory}`;
  let place = parsePlace(deps.places.get(name));
  const limit = createUnitLimit(config.linesPerSecond, place?.untold);
  const own = ownCgroup();
  let reader: Reader | null = null;
  let failures = 0;
  let retry: NodeJS.Timeout | undefined;
  let tell: NodeJS.Timeout | undefined;
  let stopped = false;
  let saidOf: string | null = null;
  let isOld = false;
  /** The entry that was read last is to come first; null when that is checked, or cannot be. */
  let expected: string | null = null;
  /** Entries up to this time were read; only where the cursor itself could not be used. */
  let readUs = 0;

  const here = () => ({ name, value: JSON.stringify({ ...place, untold: limit.untold() }) });

  function begin(from: From): void {
    expected = 'cursor' in from ? from.cursor : null;
    readUs = 'realtimeUs' in from ? from.realtimeUs : 0;
    reader = startReader({ ...config, isOld }, from, { onEntry, onTooLarge, onEnd, isBusy: deps.isBusy });
  }

  function onEntry(text: string): void {
    const entry = parseEntry(text, config.lineCapBytes);
    if (entry === null) {
      deps.log.warn('An entry of the journal could not be read', { entry: text.slice(0, 256) });
      return;
    }
    failures = 0;
    if (expected !== null) {
      const left = expected;
      expected = null;
      if (left === entry.cursor) return;
      const missing = entriesBetween(left, entry.cursor);
      // It is gone itself, and the next one is there.
      if (missing !== 0) tellGap(VACUUMED, missing);
    }
    if (readUs > 0 && entry.realtimeUs <= readUs) return;
    readUs = 0;
    place = { cursor: entry.cursor, realtimeUs: entry.realtimeUs };
    if (isWanted(entry)) give(entry);
    else deps.places.set(name, here().value);
  }

  function give({ unit, line }: Entry): void {
    if (!limit.passes(unit, line.tsMs, line.level)) {
      deps.places.set(name, here().value);
      tell ??= setTimeout(tellAll, TELL_MS);
      return;
    }
    const dropped = limit.takeDropped(unit);
    if (dropped !== null) tellDropped(unit, dropped);
    deps.emit(line, here());
  }

  function isWanted({ unit, cgroup }: Entry): boolean {
    // What the agent says reaches the spool by itself.
    if (own !== null && (cgroup === own || cgroup.startsWith(`${own}/`))) return false;
    return !config.exclude.some((pattern) => wildcard(pattern, unit));
  }

  function onTooLarge(head: string, bytes: number): void {
    const cursor = /"__CURSOR":"([^"\\]+)"/.exec(head)?.[1];
    const realtimeUs = Number(/"__REALTIME_TIMESTAMP":"(\d+)"/.exec(head)?.[1]);
    if (cursor !== undefined && realtimeUs > 0) place = { cursor, realtimeUs };
    expected = null;
    emitGap({
      message: 'An entry of the journal was left out: it is too large',
      fields: { reason: 'too-large', bytes, dropped: 1 },
    });
  }

  /** `dropped` where it is known how many. */
  function tellGap(message: string, dropped?: number): void {
    const lastReadMs = Math.round((place?.realtimeUs ?? 0) / 1_000);
    const fields = { reason: 'journal-cursor', ...(dropped === undefined ? {} : { dropped }), lastReadMs };
    emitGap({ message, fields });
  }

  function emitGap(line: Pick<NewLine, 'message' | 'fields' | 'unit'>): void {
    const whole: NewLine = { tsMs: deps.now(), level: 'warn', source: 'journal', ...line };
    if (place === null) deps.emit(whole);
    else deps.emit(whole, here());
  }

  function tellDropped(unit: string, { count, worst, firstMs, lastMs }: Dropped): void {
    const fields = { reason: 'rate', dropped: count, worstLevel: worst, firstMs, lastMs };
    emitGap({
      unit,
      message: 'Lines were left out: more came than the limit',
      fields: { ...fields, linesPerSecond: config.linesPerSecond },
    });
  }

  function tellAll(): void {
    clearTimeout(tell);
    tell = undefined;
    for (const unit of Object.keys(limit.untold() ?? {})) {
      const dropped = limit.takeDropped(unit);
      if (dropped !== null) tellDropped(unit, dropped);
    }
  }

  function onEnd({ said, isMissing }: { said: string; isMissing: boolean }): void {
    reader = null;
    if (stopped) return;
    if (isMissing) {
      deps.log.info('The journal is not read: there is no journalctl on this host', { journalctl: config.journalctl });
      return;
    }
    failures += 1;
    isOld ||= /boot descriptor/i.test(said);
    if (said !== saidOf) deps.log.warn('journalctl ended; it is started again', { reason: said.slice(0, 512) });
    saidOf = said;
    const isCursorBad = /seek to cursor/i.test(said);
    retry = setTimeout(() => (isCursorBad ? withoutCursor() : begin(start())), backoffMs(failures));
  }

  /** The cursor cannot be used at all: go on by the time of the last entry. */
  function withoutCursor(): void {
    if (place === null) {
      begin(start());
      return;
    }
    tellGap('The journal cannot find the entry at which it was left; it is read on from its time');
    begin({ realtimeUs: place.realtimeUs });
  }

  const start = (): From => (place === null ? { past: config.past } : { cursor: place.cursor });

  return {
    async start() {
      tellAll();
      begin(start());
    },
    async stop() {
      stopped = true;
      clearTimeout(retry);
      reader?.end();
      tellAll();
    },
  };
}

function parsePlace(text: string | undefined): Place | null {
  try {
    return text === undefined ? null : placeSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The control group of this process, where systemd runs it as a service. */
function ownCgroup(): string | null {
  try {
    const found = /^0::(\/.*\.service)(?:\/|$)/m.exec(readFileSync('/proc/self/cgroup', 'utf8'));
    return found?.[1] ?? null;
  } catch {
    return null;
  }
}
