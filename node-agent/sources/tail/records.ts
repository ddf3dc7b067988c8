import type { SourceDeps } from '../source.ts';
import { createGrouper } from './grouper.ts';
import { type Cut, createLineCutter } from './line-cutter.ts';
import { fingerprint, type Position, parsePosition } from './position.ts';
import type { StreamSpec } from './stream-spec.ts';

/**
 * Turns the bytes of one file into lines, each with the place behind it. `position()` is behind what was given out;
 * `readTo()` behind what is held in memory as the beginning of a line or of a record.
 */
export function createRecords(spec: StreamSpec, deps: Pick<SourceDeps, 'emit' | 'places' | 'now'>) {
  const memo: { note?: string | undefined } = {};
  let saved: Position | null = parsePosition(deps.places.get(spec.name));
  memo.note = saved?.note;
  let isLoaded = false;
  let at = 0;
  let given = 0;
  let [cutter, grouper] = parts({ offset: 0, skipping: false });

  function parts(start: { offset: number; skipping: boolean }) {
    const group = spec.group === null ? null : createGrouper(spec.group, emit);
    const options = { capBytes: spec.lineCapBytes, rewrites: spec.rewrites };
    return [createLineCutter(start, options, group === null ? emit : group.take), group] as const;
  }

  function emit(cut: Cut): void {
    if (saved === null) return;
    const line = spec.line(cut.text, memo);
    const { offset, skipping, back } = cut;
    saved = { ...saved, offset, skipping, back: fingerprint(back), backBytes: back.length, seenMs: deps.now() };
    if (memo.note !== undefined) saved.note = memo.note;
    given += 1;
    if (line !== null) deps.emit(line, place());
  }

  const place = () => ({ name: spec.name, value: JSON.stringify(saved) });

  return {
    position: () => saved,
    readTo: () => at,
    /** True when what is held in memory belongs to `position()`. */
    isLoaded: () => isLoaded,
    isHolding: () => cutter.isHolding() || grouper?.isHolding() === true,
    /** Goes on at another place; what is held is forgotten: it comes again from there. */
    load(position: Position): void {
      saved = { ...position, ...(memo.note === undefined ? {} : { note: memo.note }) };
      delete saved.goneMs;
      at = position.offset;
      isLoaded = true;
      [cutter, grouper] = parts(position);
    },
    /** Notes more of the file's own beginning, or when it was there or read last; not the place. */
    learn(what: Partial<Pick<Position, 'head' | 'headBytes' | 'goneMs' | 'seenMs'>>): void {
      if (saved !== null) saved = { ...saved, ...what };
    },
    /** Takes what follows; returns how many lines came of it. */
    take(bytes: Buffer): number {
      at += bytes.length;
      given = 0;
      cutter.take(bytes);
      return given;
    },
    /** Gives out everything that is held. */
    flush(): void {
      cutter.flush();
      grouper?.flush();
    },
    /** At the end of the file, `idleMs` after its last bytes: gives out what waited long enough. Returns when to come again. */
    rest(idleMs: number): number | null {
      if (cutter.isHolding()) {
        if (spec.partialAfterMs === null) return null;
        const afterMs = spec.partialAfterMs * (cutter.isRewritten() ? 30 : 1);
        if (idleMs < afterMs) return afterMs - idleMs;
        cutter.flush();
      }
      if (spec.group === null || !grouper?.isHolding()) return null;
      if (idleMs < spec.group.waitMs) return spec.group.waitMs - idleMs;
      grouper.flush();
      return null;
    },
    /** Says what was not read, at its place among the lines. */
    tellGap(message: string, fields: Record<string, unknown>): void {
      const about = { ...spec.about(memo), tsMs: deps.now(), level: 'warn' as const };
      deps.emit({ ...about, message, fields: { ...fields, file: spec.path } }, place());
    },
    /** Keeps the place of a file that is not there now, in case that it comes back. */
    keep(): void {
      if (saved !== null) deps.places.set(spec.name, JSON.stringify(saved));
    },
    forget(): void {
      saved = null;
      isLoaded = false;
      at = 0;
      deps.places.set(spec.name, null);
    },
  };
}
export type Records = ReturnType<typeof createRecords>;
