import { WebvirtError } from '../../../common/errors.ts';
import type { StoreFailpoint } from '../failpoint.ts';
import { columnsOf } from '../line-columns.ts';
import type { CommittedBatch, LineBatch } from '../ports.ts';
import { cutBatch, type KeepSeconds } from './block.ts';
import { Cursors, type Move } from './cursors.ts';
import type { Lane } from './lanes.ts';
import { bucketOf, LIMIT_SHARD_BYTES, ordinalAt, partitionOf, placeNumbers, SHARDS, shardOf } from './layout.ts';
import { Presence } from './presence.ts';
import { eachOf, type Session, type Statement } from './session.ts';
import * as statements from './statements.ts';
import { Tallies } from './tallies.ts';
import type { AppendMark, Voids } from './voids.ts';

/** Requests of one append that are under way at the same time. */
const AT_ONCE = 24;

export interface WriterOptions {
  session: Session;
  /** Name of this manager, the same after a restart. */
  manager: string;
  /** Name of this run of it. */
  writer: string;
  lane: Lane;
  keep: KeepSeconds;
  voids: Voids;
  /** The newest arrival number that is stored. */
  newestOrdinal: number;
  nowMs: () => number;
  failpoint?: StoreFailpoint | undefined;
}

/** What makes the lines of an append be stored, after they were written. */
export interface Decision {
  /** Rejects when it is refused, or when nobody knows. */
  decide(mark: AppendMark): Promise<void>;
  /** After that: the (agent, epoch) for which it was not made, and never will be. */
  undecided(mark: AppendMark): Promise<{ agent: string; epoch: string }[]>;
}

/**
 * Appends, one after another: lines and what finds them, then the cursors. An append whose end is not known is settled
 * before the next one: what its cursors do not stand for is made void.
 */
export class Writer {
  readonly #options: WriterOptions;
  readonly #presence: Presence;
  readonly #ttl: number;
  /** Name of this manager. */
  readonly manager: string;
  readonly cursors: Cursors;
  readonly tallies: Tallies;
  newestOrdinal: number;
  /** The last number that was given, stored or not. */
  #given = 0;
  #append = 0;
  #unsettled: Decision | null = null;
  #bucket = -1;
  #shardBytes = new Map<number, number>();
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: WriterOptions) {
    this.#options = options;
    this.manager = options.manager;
    const longest = Object.values(options.keep).includes(0) ? 0 : Math.max(...Object.values(options.keep));
    this.#ttl = longest;
    this.#presence = new Presence(longest);
    this.cursors = new Cursors(options.session, options.manager);
    this.tallies = new Tallies(options.session, options.writer, longest);
    this.newestOrdinal = options.newestOrdinal;
  }

  append(batches: LineBatch[]): Promise<CommittedBatch[]> {
    return this.alone(() => this.#appendNow(batches));
  }

  /** Runs work between two appends, when nothing is unsettled. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(async () => {
      await this.#settle();
      return work();
    });
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    const { session, manager, writer } = this.#options;
    await this.#tail;
    await this.#settle();
    await this.tallies.flush();
    await session.run('UPDATE writers SET closed = true WHERE manager = ? AND writer = ?', [manager, writer]);
  }

  async #appendNow(batches: LineBatch[]): Promise<CommittedBatch[]> {
    const moves = await this.cursors.movesOf(batches);
    return this.commit(batches, {
      decide: async (mark) => {
        const refused: Move[] = [];
        await eachOf(moves, AT_ONCE, async (move) => {
          if (!(await this.cursors.move(move, mark))) refused.push(move);
        });
        if (refused.length === 0) return;
        const fields = { agent: refused[0]!.agent, epoch: refused[0]!.to.epoch };
        throw new WebvirtError('store-unavailable', 'Another manager stores the lines of this agent', fields);
      },
      undecided: async (mark) => {
        const left: { agent: string; epoch: string }[] = [];
        await eachOf(moves, AT_ONCE, async ({ agent, to }) => {
          if (!(await this.cursors.stop(agent, to.epoch, mark))) left.push({ agent, epoch: to.epoch });
        });
        return left;
      },
    });
  }

  /** Writes lines and lets them count by a decision. Only inside `alone`. */
  async commit(batches: LineBatch[], decision: Decision): Promise<CommittedBatch[]> {
    const { voids, failpoint, nowMs, lane } = this.#options;
    lane.mustBeOurs();
    const counts = batches.map((batch) => columnsOf(batch).n);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const earliest = Math.max(nowMs(), ...batches.map((batch) => batch.receivedMs));
    const places = placeNumbers(Math.max(this.newestOrdinal + 1, ordinalAt(earliest)), counts, lane.number);
    const first = places[0]!;
    this.#given = places.at(-1)! + counts.at(-1)! - 1;
    this.#append += 1;
    const mark = { writer: this.#options.writer, append: this.#append };
    await this.#enterBucket(bucketOf(first));
    this.#unsettled = decision;
    const bytes = await this.#writeLines(this.#place(batches, places), batches);
    failpoint?.('M2');
    await decision.decide(mark);
    failpoint?.('M3');
    this.#unsettled = null;
    voids.ended = this.#append;
    this.newestOrdinal = this.#given;
    this.tallies.add(bucketOf(first), total, bytes);
    return batches.map((batch, i) => ({ ...batch, ordinal: places[i]! }));
  }

  /** Which bucket this run writes into is known before anything is in it: what a crash leaves is looked for there. */
  async #enterBucket(bucket: number): Promise<void> {
    if (bucket === this.#bucket) return;
    const { session, manager, writer } = this.#options;
    const query = 'INSERT INTO writers (manager, writer, bucket, closed) VALUES (?, ?, ?, false)';
    await session.run(query, [manager, writer, bucket]);
    this.#bucket = bucket;
    this.#shardBytes = new Map();
  }

  #place(batches: readonly LineBatch[], places: readonly number[]): statements.Placed[] {
    const { lane, keep } = this.#options;
    return batches.flatMap((batch, i) => {
      const overflow = Math.floor((this.#shardBytes.get(shardOf(batch.agent)) ?? 0) / LIMIT_SHARD_BYTES);
      const shard = partitionOf(batch.agent, lane.number, overflow);
      return cutBatch(batch, keep).map((draft) => ({ batch, draft, ordinal: places[i]! + draft.from, shard }));
    });
  }

  async #writeLines(placed: readonly statements.Placed[], batches: readonly LineBatch[]): Promise<number> {
    const { session, writer } = this.#options;
    const mark = { writer, append: this.#append };
    const blocks = new Map<number, statements.Written[]>();
    const small = new Map<string, Statement[]>();
    const add = (key: string, statement: Statement) => {
      const list = small.get(key);
      if (list === undefined) small.set(key, [statement]);
      else list.push(statement);
    };
    let bytes = 0;
    await eachOf(placed, 4, async (one) => {
      const written = await statements.blockStatement(one, mark);
      const base = one.shard % SHARDS;
      this.#shardBytes.set(base, (this.#shardBytes.get(base) ?? 0) + written.bytes);
      bytes += written.bytes;
      const list = blocks.get(one.shard);
      if (list === undefined) blocks.set(one.shard, [written]);
      else list.push(written);
    });
    for (const one of placed)
      for (const [key, statement] of statements.placeStatements(one, this.#ttl)) add(`place ${key}`, statement);
    for (const batch of batches) {
      if (batch.hash !== '') add(`hash ${batch.agent} ${batch.epoch}`, statements.hashStatement(batch));
      if (batch.gap !== null) add(`gap ${batch.agent} ${batch.epoch}`, statements.gapStatement(batch, mark));
    }
    const presence = this.#presence.missing(
      placed.map(({ batch, draft, ordinal, shard }) => ({ draft, origin: batch, bucket: bucketOf(ordinal), shard })),
    );
    const work = [
      ...[...blocks.values()].flatMap(statements.inBatches),
      ...[...small.values()].flatMap((list) => statements.inBatches(list.map((one) => ({ ...one, bytes: 256 })))),
      ...presence.map(([, statement]) => [statement]),
    ];
    await eachOf(work, AT_ONCE, async (batch) => {
      if (batch.length === 1) await session.run(batch[0]!.query, batch[0]!.params);
      else await session.together(batch);
    });
    this.#presence.wrote(presence.map(([key]) => key));
    return bytes;
  }

  async #settle(): Promise<void> {
    if (this.#unsettled === null) return;
    const { session, writer, voids, nowMs, failpoint } = this.#options;
    failpoint?.('M9');
    const mark = { writer, append: this.#append };
    const undecided = await this.#unsettled.undecided(mark);
    failpoint?.('M9');
    for (const { agent, epoch } of undecided) await makeVoid(session, voids, mark, agent, epoch, this.#ttl);
    failpoint?.('M9');
    // The numbers of that append are never given again, whatever became of it.
    this.newestOrdinal = Math.max(this.newestOrdinal, this.#given, ordinalAt(nowMs()));
    this.#unsettled = null;
    voids.ended = this.#append;
  }
}

/** Makes void what one append wrote for one (agent, epoch); the gaps it declared are taken back. */
export async function makeVoid(
  session: Session,
  voids: Voids,
  mark: AppendMark,
  agent: string,
  epoch: string,
  ttl: number,
): Promise<void> {
  await voids.add(mark, agent, epoch, ttl);
  const query = 'SELECT from_seq, mark FROM gaps WHERE agent = ? AND epoch = ?';
  for (const row of await session.run(query, [agent, epoch])) {
    if (row['mark'] !== `${mark.writer}:${mark.append}`) continue;
    await session.run('DELETE FROM gaps WHERE agent = ? AND epoch = ? AND from_seq = ?', [
      agent,
      epoch,
      row['from_seq'],
    ]);
  }
}
