import type { NewLine } from '../../../common/model/line.ts';
import { guessLevel } from '../files/guess-level.ts';

/** libvirt writes `2026-11-21 08:05:11.494+0000: `, QEMU `2026-11-21T08:05:12.046023Z `. */
const STAMP = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d\.\d{3})\d*(?:\+0000:|Z) ?/;
const UUID = /^-uuid ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/;

/** Makes a line of one line of a domain's QEMU log. The stamp in it becomes its time. */
export function qemuLine(text: string, of: { unit: string; instance: string | undefined; nowMs: number }): NewLine {
  const stamp = STAMP.exec(text);
  const tsMs = stamp === null ? Number.NaN : Date.parse(`${stamp[1]}T${stamp[2]}Z`);
  const message = stamp === null ? text : text.slice(stamp[0].length);
  return {
    tsMs: Number.isNaN(tsMs) ? of.nowMs : tsMs,
    level: guessLevel(message),
    source: 'qemu',
    unit: of.unit,
    message,
    ...(of.instance === undefined ? {} : { instance: of.instance }),
  };
}

/** The UUID in the command line that libvirt writes into the log at each start, if this line has it. */
export function uuidInLine(text: string): string | undefined {
  return UUID.exec(text)?.[1];
}
