import type { Line } from '../../common/model/line.ts';
import { storedBodyOf } from './logstorm-bodies.ts';

/** What the storm's programs said, kept by a process that is never killed. */
export interface StormBooks {
  /** By run: how many lines were handed to the spool. */
  called: Map<string, number>;
  /** `<epoch>.<number>` → `<run>:<i>`, once the spool said that it is on the disk. Lines of the agent itself are ''. */
  spooled: Map<string, string>;
  /** By epoch: up to which number an ack was seen. */
  acked: Map<string, number>;
  /** What viewers were told. */
  live: Set<string>;
  faults: string[];
}

export function createBooks(): StormBooks {
  return { called: new Map(), spooled: new Map(), acked: new Map(), live: new Set(), faults: [] };
}

type Said =
  | { t: 'called'; run: string; upTo: number }
  | { t: 'spooled'; epoch: string; first: number; count: number; lines: string[] | null }
  | { t: 'acked'; epoch: string; next: number }
  | { t: 'live'; epoch: string; first: number; count: number }
  | { t: 'written' | 'drained' };

/** Enters one thing that a program said. */
export function enter(books: StormBooks, said: Said): void {
  if (said.t === 'called') books.called.set(said.run, said.upTo);
  else if (said.t === 'acked') books.acked.set(said.epoch, Math.max(said.next, books.acked.get(said.epoch) ?? 0));
  else if (said.t === 'live')
    for (let i = 0; i < said.count; i += 1) {
      const key = `${said.epoch}.${said.first + i}`;
      // Arrival on the live road is once for each number in one life of the manager; a new life tells none again.
      if (books.live.has(key)) books.faults.push(`told live twice: ${key}`);
      books.live.add(key);
    }
  else if (said.t === 'spooled')
    for (const [i, text] of (said.lines ?? []).entries()) {
      const key = `${said.epoch}.${said.first + i}`;
      if (books.spooled.has(key)) books.faults.push(`number used twice: ${key}`);
      books.spooled.set(key, /^r\d+:\d+$/.test(text) ? text : '');
    }
}

const numberOf = (line: Line) => {
  const [, epoch = '', seq = ''] = line.id.split('.');
  return { epoch, seq: Number(seq) };
};

/** Holds the books against what is stored, in the order of arrival. Nothing found: nothing was lost or altered. */
export function check(books: StormBooks, stored: readonly Line[]): string[] {
  const faults = [...books.faults];
  const lines = new Map<string, Line>();
  const missing = new Set<string>();
  const highest = new Map<string, number>();
  const last = new Map<string, number>();
  for (const line of stored) {
    const { epoch, seq } = numberOf(line);
    const gap = line.fields?.['gap'] as { from: number; to: number } | undefined;
    if (gap !== undefined) for (let i = gap.from; i <= gap.to; i += 1) missing.add(`${epoch}.${i}`);
    else {
      if (lines.has(line.id.slice(33))) faults.push(`duplicate: ${line.id}`);
      lines.set(`${epoch}.${seq}`, line);
    }
    highest.set(epoch, Math.max(highest.get(epoch) ?? -1, gap?.to ?? seq));
    const match = /^(r\d+):(\d+):/.exec(line.message);
    if (match === null) continue;
    const [, run = '', i = ''] = match;
    if (line.message !== storedBodyOf(run, Number(i))) faults.push(`corrupted: ${line.id} is not ${run}:${i}`);
    if (Number(i) <= (last.get(run) ?? -1)) faults.push(`reordered or doubled: ${run}:${i} behind ${last.get(run)}`);
    last.set(run, Number(i));
  }
  for (const [key, text] of books.spooled) {
    const line = lines.get(key);
    if (line === undefined && !missing.has(key)) faults.push(`spooled and lost: ${key}`);
    if (line !== undefined && text !== '' && !line.message.startsWith(`${text}:`))
      faults.push(`other line under ${key}`);
  }
  const isThere = (key: string) => lines.has(key) || missing.has(key);
  for (const [epoch, next] of books.acked)
    for (let i = 0; i < next; i += 1) if (!isThere(`${epoch}.${i}`)) faults.push(`acked and lost: ${epoch}.${i}`);
  for (const [epoch, to] of highest)
    for (let i = 0; i <= to; i += 1) if (!isThere(`${epoch}.${i}`)) faults.push(`a hole without a gap: ${epoch}.${i}`);
  for (const key of missing) if (lines.has(key)) faults.push(`declared as missing and stored: ${key}`);
  for (const key of books.live) if (!lines.has(key)) faults.push(`seen live and not stored: ${key}`);
  for (const [run, upTo] of books.called)
    if ((last.get(run) ?? -1) >= upTo + 61) faults.push(`stored and never called: ${run}:${last.get(run)}`);
  return faults;
}
