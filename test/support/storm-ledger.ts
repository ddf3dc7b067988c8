import { createHash } from 'node:crypto';
import type { Gap } from '../../common/model/line.ts';
import type { EpochCursor, FrameHeader } from '../../common/wire/link.ts';

/**
 * The ledger of a log storm, in a process that is never killed: what the program said it had spooled, and a store that
 * takes its frames as the manager does. `faults` is empty when nothing was lost, doubled, reordered or altered.
 */
export function createLedger() {
  const spooled = new Map<string, string>();
  const stored = new Map<string, string>();
  const gaps: (Gap & { epoch: string })[] = [];
  const cursors = new Map<string, EpochCursor>();
  const hashes = new Map<string, string>();
  const faults: string[] = [];

  function spool(said: { epoch: string; first: number; messages: string[] | null }): void {
    for (const [i, message] of (said.messages ?? []).entries()) {
      const key = `${said.epoch}.${said.first + i}`;
      if (spooled.has(key)) faults.push(`number ${key} was used twice`);
      spooled.set(key, message);
    }
  }

  /** Takes a frame; the answer is the ack. */
  function take(header: FrameHeader, body: Buffer): EpochCursor {
    const { epoch, first, count, prev, hash, gap } = header;
    const at = cursors.get(epoch) ?? { epoch, next: 0, hash: '0'.repeat(32) };
    if (first + count <= at.next) {
      if (hashes.get(`${epoch}.${first}`) !== hash && gap === undefined)
        faults.push(`replay of ${epoch}.${first} with other bytes`);
      return at;
    }
    if (first !== at.next) faults.push(`hole or overlap: ${epoch} stored to ${at.next}, got ${first}`);
    if (prev !== at.hash) faults.push(`broken chain at ${epoch}.${first}`);
    if (gap === undefined) {
      const real = createHash('sha256').update(prev).update(body).digest('hex').slice(0, 32);
      if (real !== hash) faults.push(`altered body at ${epoch}.${first}`);
      const { message, n } = JSON.parse(body.toString()) as { n: number; message: string[] };
      if (n !== count || message.length !== count) faults.push(`count of ${epoch}.${first} is not ${count}`);
      for (const [i, text] of message.entries()) stored.set(`${epoch}.${first + i}`, text);
    } else gaps.push({ epoch, ...gap });
    hashes.set(`${epoch}.${first}`, hash);
    const next = { epoch, next: first + count, hash };
    cursors.set(epoch, next);
    return next;
  }

  /** To be called when all is drained. */
  function check(): string[] {
    const found = [...faults];
    const declared = (epoch: string, seq: number) =>
      gaps.some((gap) => gap.epoch === epoch && gap.from <= seq && seq <= gap.to);
    for (const [key, message] of spooled) {
      const [epoch = '', seq = ''] = key.split('.');
      if (stored.get(key) === message) continue;
      if (stored.has(key)) found.push(`${key} was stored with other words`);
      else if (!declared(epoch, Number(seq))) found.push(`spooled line ${key} is lost without a gap`);
    }
    found.push(...order());
    return found;
  }

  /** In every run the stored lines must be in the order in which they were written, none twice. */
  function order(): string[] {
    const found: string[] = [];
    const last = new Map<string, number>();
    for (const message of stored.values()) {
      const [run = '', number = ''] = message.split(':', 2);
      if (!/^\d+$/.test(number)) continue;
      const before = last.get(run) ?? -1;
      if (Number(number) <= before) found.push(`run ${run}: line ${number} stands behind ${before}`);
      last.set(run, Number(number));
    }
    return found;
  }

  /** True when a line that begins so is stored. */
  const has = (start: string) => [...stored.values()].some((message) => message.startsWith(start));
  return {
    spool,
    take,
    check,
    has,
    cursors,
    gaps,
    faults,
    counts: () => ({ spooled: spooled.size, stored: stored.size }),
  };
}
export type Ledger = ReturnType<typeof createLedger>;
