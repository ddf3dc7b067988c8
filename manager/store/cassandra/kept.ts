import { LEVELS } from '../../../common/model/line.ts';
import type { LineColumns } from '../../../common/wire/frames.ts';
import { type Block, type KeepSeconds, openBlock } from './block.ts';
import { dayOf, slotOf } from './layout.ts';
import { dayRows, daysOf, type Found, MORE_SECONDS, partKey, rowsOf, seenRows } from './presence.ts';
import { blocksOf, limitsOf, withBodies } from './reader.ts';
import type { ReadDeps } from './scan.ts';
import { eachOf } from './session.ts';
import { blockAgain, placesAgain } from './statements.ts';
import type { Tally } from './tallies.ts';

const MINUTE_MS = 60_000;
/** Lines may wait so long between their arrival and their bucket, and nothing is written into it after as long again. */
const SETTLED_MINUTES = 2;
const AT_ONCE = 8;
const BLOCKS_AT_ONCE = 8;
const LEAST_SECONDS = 60;
const LIMIT_ROUND_MS = 30 * MINUTE_MS;

interface KeptPart extends Tally {
  bucket: number;
  shard: number;
  slotDays: number[];
  /** Those that keep it; and whether ours once did and has not ended that yet. */
  managers: Set<string>;
  isReleased: boolean;
}

/**
 * Lines in marked times. Every row says itself how long it lives; a marked minute of arrival is written once more without
 * an end, lines and what finds them, and when the last mark is gone, once more with what is left of its time. Table
 * `kept` says which minutes that are, for each manager: marks of one are not taken away by another that does not know them.
 */
export class Kept {
  readonly #deps: ReadDeps;
  readonly #manager: string;
  readonly #keep: KeepSeconds;
  readonly #nowMs: () => number;

  constructor(deps: ReadDeps, options: { manager: string; keep: KeepSeconds; nowMs: () => number }) {
    this.#deps = deps;
    this.#manager = options.manager;
    this.#keep = options.keep;
    this.#nowMs = options.nowMs;
  }

  /**
   * Brings what is kept in line with the marks; both are times of arrival, `toMs` excluded. Lines of the last two minutes are
   * left for the next call. A call that was broken off is made good by the next.
   */
  async round(marks: readonly { fromMs: number; toMs: number }[]): Promise<{ kept: Tally; released: Tally }> {
    const known = await this.#known();
    const wanted = await this.#marked(marks);
    const sum = { kept: { lines: 0, bytes: 0 }, released: { lines: 0, bytes: 0 } };
    for (const [key, { bucket, shard }] of wanted) {
      const part = known.get(key);
      if (part?.managers.has(this.#manager)) continue;
      const isThere = part !== undefined && part.managers.size > 0;
      const tally = isThere ? part : await this.#rewrite(bucket, shard, () => 0);
      if (!isThere) add(sum.kept, tally);
      await this.#deps.session.run(
        'INSERT INTO kept (day, bucket, shard, manager, lines, bytes, slot_days, released) VALUES (?, ?, ?, ?, ?, ?, ?, false)',
        [dayOf(bucket), bucket, shard, this.#manager, tally.lines, tally.bytes, tally.slotDays],
      );
      known.set(key, { ...tally, bucket, shard, managers: new Set([this.#manager]), isReleased: false });
    }
    for (const [key, part] of known) {
      if (wanted.has(key) || !(part.managers.has(this.#manager) || part.isReleased)) continue;
      if (await this.#release(part)) add(sum.released, part);
      known.delete(key);
    }
    const days = new Set([...known.values()].map(({ bucket }) => dayOf(bucket)));
    const slotDays = new Set([...known.values()].flatMap((part) => part.slotDays));
    const last = [...dayRows([...days], 'days'), ...dayRows([...slotDays], 'slot-days')];
    await eachOf(last, AT_ONCE, async ({ query, params }) => void (await this.#deps.session.run(query, params)));
    return sum;
  }

  /** Kept lines that no tally counts any more. */
  async beyond(beforeMs: number): Promise<Tally> {
    const sum = { lines: 0, bytes: 0 };
    for (const part of (await this.#known()).values()) if (part.bucket * MINUTE_MS < beforeMs) add(sum, part);
    return sum;
  }

  /**
   * Ends what this manager kept; true when nobody keeps it any more, and its lines end with their time again. Of two managers
   * that do so at once at least one sees that both did; what is broken off in between is on record as released.
   */
  async #release({ bucket, shard }: KeptPart): Promise<boolean> {
    const { session } = this.#deps;
    const key = [dayOf(bucket), bucket, shard];
    const where = 'WHERE day = ? AND bucket = ? AND shard = ?';
    await session.run(`UPDATE kept SET released = true ${where} AND manager = ?`, [...key, this.#manager]);
    const rows = await session.run(`SELECT released FROM kept ${where}`, key);
    const isFree = rows.every((row) => row['released'] === true);
    if (isFree) await this.#rewrite(bucket, shard, (block) => this.#restOf(block));
    await session.run(`DELETE FROM kept ${where} AND manager = ?`, [...key, this.#manager]);
    return isFree;
  }

  async #known(): Promise<Map<string, KeptPart>> {
    const { session } = this.#deps;
    const parts = new Map<string, KeptPart>();
    for (const { day } of await session.run('SELECT DISTINCT day FROM kept', []))
      for await (const page of session.pages('SELECT * FROM kept WHERE day = ?', [day], 5_000))
        for (const row of page) {
          const [bucket, shard] = [row['bucket'] as number, row['shard'] as number];
          const key = partKey(bucket, shard);
          const made: KeptPart = parts.get(key) ?? {
            ...{ bucket, shard, lines: Number(row['lines']), bytes: Number(row['bytes']) },
            ...{ slotDays: (row['slot_days'] as number[] | null) ?? [], managers: new Set(), isReleased: false },
          };
          const manager = String(row['manager']);
          if (row['released'] !== true) made.managers.add(manager);
          else if (manager === this.#manager) made.isReleased = true;
          parts.set(key, made);
        }
    return parts;
  }

  async #marked(marks: readonly { fromMs: number; toMs: number }[]) {
    const { session } = this.#deps;
    const last = Math.floor(this.#nowMs() / MINUTE_MS) - SETTLED_MINUTES;
    const parts = new Map<string, { bucket: number; shard: number }>();
    const days = marks.length === 0 ? [] : await daysOf(session, 'days');
    for (const { fromMs, toMs } of marks) {
      const from = Math.floor(fromMs / MINUTE_MS);
      const to = Math.min(last, Math.floor((toMs - 1) / MINUTE_MS) + SETTLED_MINUTES);
      for (const day of days.filter((one) => one >= dayOf(from) && one <= dayOf(to)))
        for (const row of await seenRows(session, 'all', '', day)) {
          const [bucket, shard] = [row['bucket'] as number, row['shard'] as number];
          if (bucket >= from && bucket <= to) parts.set(partKey(bucket, shard), { bucket, shard });
        }
    }
    return parts;
  }

  /** Seconds that a block would still have, had it never been kept. */
  #restOf({ levels, origin }: Block): number {
    const keep = Math.max(...LEVELS.map((level, at) => ((levels[at] ?? 0) > 0 ? this.#keep[level] : 0)));
    return Math.max(LEAST_SECONDS, Math.ceil(keep - (this.#nowMs() - origin.receivedMs) / 1_000));
  }

  /** Writes the blocks of a partition again, with what finds them, each with a time of its own to live. */
  async #rewrite(bucket: number, shard: number, ttlOf: (block: Block) => number) {
    const done = { lines: 0, bytes: 0, slotDays: new Set<number>() };
    let waiting: Block[] = [];
    const flush = async () => {
      await eachOf(await withBodies(this.#deps.session, waiting, true), AT_ONCE, async (block) => {
        await this.#writeAgain(block, ttlOf(block), done.slotDays);
        done.lines += block.count;
        done.bytes += block.body!.length + (block.grams?.length ?? 0);
      });
      waiting = [];
    };
    await this.#deps.voids.refresh();
    const limits = limitsOf(LIMIT_ROUND_MS);
    for await (const block of blocksOf(this.#deps, bucket, shard, { order: 'oldest', with: 'nothing' }, limits)) {
      waiting.push(block);
      if (waiting.length >= BLOCKS_AT_ONCE) await flush();
    }
    await flush();
    return { ...done, slotDays: [...done.slotDays] };
  }

  async #writeAgain(block: Block, ttl: number, slotDays: Set<number>): Promise<void> {
    const { session } = this.#deps;
    const open = await openBlock(block);
    const slots = new Set<number>();
    for (let i = 0; i < open.columns.n; i += 1) slots.add(slotOf(open.sortMsAt(i)));
    for (const slot of slots) slotDays.add(dayOf(slot));
    const draft: { columns: LineColumns; slots: Set<number> } = { columns: open.columns, slots };
    const found: Found = { draft, origin: block.origin, bucket: block.bucket, shard: block.shard };
    // What finds them ends after them, as when they were written first.
    const longer = ttl === 0 ? 0 : ttl + MORE_SECONDS;
    const rows = [...rowsOf([found], longer).values(), ...placesAgain(block, longer).map(([, row]) => row)];
    const { query, params } = blockAgain(block, ttl);
    // Before the lines, when they get more time; after them it makes no difference.
    await eachOf(rows, AT_ONCE, async (row) => void (await session.run(row.query, row.params)));
    await session.run(query, params);
  }
}

function add(sum: Tally, { lines, bytes }: Tally): void {
  sum.lines += lines;
  sum.bytes += bytes;
}
