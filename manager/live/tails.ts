import { WebvirtError } from '../../common/errors.ts';
import type { LinesBatch, TailRequest } from '../../common/wire/live.ts';
import type { Bus } from '../bus/bus.ts';
import type { CommittedBatch, LineFilter } from '../store/ports.ts';
import { type Backlog, readBacklog } from './backlog.ts';
import { createSelector, filterKey, type Selector, type SharedBatch, shareBatch } from './channel.ts';
import { createSharedBatches } from './encode-once.ts';
import { mergeLines } from './merge-lines.ts';
import type { Outbox } from './outbox.ts';
import { createPace } from './pace.ts';
import { OtherPlaces, placeText, readPlace } from './place.ts';
import type { BatchReader, TailStore } from './ports.ts';
import { createTail, type Selection, type Tail, type TailCaps } from './tail.ts';

/** A line of a busy stream to hundreds of viewers waits this much for others at most. */
const LONGEST_REST_MS = 20;

/** One filter, however many watch it. */
interface Channel {
  select: Selector;
  tails: Set<Tail>;
  /** Messages of viewers that lag. */
  shared: ReturnType<typeof createSharedBatches>;
}

export interface TailViewer {
  socketId: string;
  outbox: Outbox;
  send(batch: LinesBatch): void;
}

/** All tails of this process. */
export interface Tails {
  /**
   * Opens a tail. Lines are heard from this step on; the backlog is read, then `begin` starts the flow: call it in the
   * step in which the answer is sent. Throws `bad-query`, or the store's errors.
   */
  open(request: TailRequest, viewer: TailViewer): Promise<OpenTail>;
  stats(): { tails: number; channels: number; skipped: number; queuedLines: number; queuedBytes: number };
  stop(): void;
}

export interface OpenTail {
  position: string;
  begin(): void;
  close(): void;
}

export function createTails(
  caps: TailCaps,
  deps: {
    bus: Bus;
    store: TailStore;
    reader: BatchReader;
    /** Sends one message to several sockets, encoded once. */
    sendToAll(socketIds: string[], batch: LinesBatch): void;
  },
): Tails {
  const channels = new Map<string, Channel>();
  let skippedBefore = 0;
  /** Arrival number up to which lines came over the bus; null before the first (the store may open after us). */
  let upTo: number | null = null;
  /** The same of the other managers, where they store into the same store. */
  const heard = new OtherPlaces();

  function deliver(channel: Channel, selection: Selection): void {
    // Viewers that are in step and call their tail the same get one message that is encoded once.
    const inStep = new Map<string, Tail[]>();
    let lagging = 0;
    for (const tail of channel.tails) {
      if (selection.entries.length === 0 || !tail.inStep(selection)) {
        tail.push(selection);
        lagging += tail.queued.lines;
        continue;
      }
      const group = inStep.get(tail.id);
      if (group === undefined) inStep.set(tail.id, [tail]);
      else group.push(tail);
    }
    if (lagging === 0) channel.shared.clear();
    for (const [id, tails] of inStep) {
      const lines = mergeLines(selection.entries.map((entry) => entry.line));
      const batch = { id, lines, skipped: 0, position: placeText(selection.upTo, selection.heard) };
      deps.sendToAll(
        tails.map((tail) => tail.socketId),
        batch,
      );
      for (const tail of tails) tail.sentInStep(selection);
    }
  }

  function tell(shared: SharedBatch[], lookedAt: number, hasPeers: boolean): void {
    for (const channel of channels.values()) {
      const entries = shared.flatMap(channel.select);
      const { list } = heard;
      deliver(channel, {
        entries,
        upTo: lookedAt,
        ...{ heard: list, hasPeers },
        bytes: entries.reduce((sum, entry) => sum + entry.bytes, 64),
      });
    }
  }

  /** One event of the bus: our own batches, or another manager's. */
  const pace = createPace<{ batches: readonly CommittedBatch[]; isPeers: boolean }>(LONGEST_REST_MS, (events) => {
    const shared = events.flatMap(({ batches, isPeers }) => {
      const last = batches.at(-1);
      if (last !== undefined && !isPeers) upTo = last.ordinal + (last.columns?.n ?? 1) - 1;
      const { shared: store } = deps.store;
      if (isPeers && store !== undefined)
        heard.reach(
          store,
          batches.map((batch) => batch.ordinal + (batch.columns?.n ?? 1) - 1),
        );
      if (channels.size === 0) return [];
      // Lines of other managers leave the position where it is: it counts lines of our own store.
      const peerAt = isPeers ? (upTo ?? deps.store.newestOrdinal()) : null;
      return batches.map((batch) => shareBatch(batch, deps.reader, peerAt));
    });
    if (shared.length > 0) {
      const hasPeers = events.some(({ isPeers }) => isPeers);
      tell(shared, upTo ?? deps.store.newestOrdinal(), hasPeers);
    }
  });

  const unlisten = [
    deps.bus.on('lines', ({ batches }) => pace.push({ batches, isPeers: false })),
    deps.bus.on('peer-lines', ({ batches }) => pace.push({ batches, isPeers: true })),
    deps.bus.on('peer-break', ({ lines }) => {
      for (const channel of channels.values()) for (const tail of channel.tails) tail.skip(lines);
    }),
  ];

  function join(key: string, channel: Channel, tail: Tail): () => void {
    channels.set(key, channel);
    channel.tails.add(tail);
    return () => {
      if (!channel.tails.delete(tail)) return;
      skippedBefore += tail.skippedTotal;
      tail.stop();
      if (channel.tails.size === 0) channels.delete(key);
    };
  }

  return {
    async open(request, viewer) {
      const filter: LineFilter = filterOf(request);
      const key = filterKey(filter);
      const made = { tails: new Set<Tail>(), shared: createSharedBatches() };
      const channel = channels.get(key) ?? { select: createSelector(filter), ...made };
      const { outbox, socketId } = viewer;
      const send = (batch: LinesBatch) =>
        batch.backlog ? viewer.send(batch) : deps.sendToAll([socketId], channel.shared.same(batch));
      const from = upTo ?? deps.store.newestOrdinal();
      const { list } = heard;
      const tail = createTail(
        { id: request.id, socketId, caps, from, others: list },
        { outbox, send, shared: deps.store.shared },
      );
      const close = join(key, channel, tail);
      let backlog: Backlog;
      try {
        const after = readPlace(request.after);
        backlog = await readBacklog(
          deps.store,
          filter,
          { lines: request.backlog ?? 0, after, heard: list },
          tail.waiting,
        );
      } catch (error) {
        close();
        throw error;
      }
      // Safe to come back with even if the backlog itself gets lost on the way.
      const position = backlog.fresh || request.after === undefined ? placeText(from, list) : request.after;
      return { position, begin: () => tail.begin(backlog), close };
    },
    stats() {
      const sum = { tails: 0, channels: channels.size, skipped: skippedBefore, queuedLines: 0, queuedBytes: 0 };
      for (const channel of channels.values()) {
        sum.tails += channel.tails.size;
        for (const { skippedTotal, queued } of channel.tails) {
          sum.skipped += skippedTotal;
          sum.queuedLines += queued.lines;
          sum.queuedBytes += queued.bytes;
        }
      }
      return sum;
    },
    stop() {
      for (const stop of unlisten) stop();
      pace.stop();
      channels.clear();
    },
  };
}

function filterOf(request: TailRequest): LineFilter {
  const { q, level, host, instance, source, job, session } = request;
  if (q?.includes('\0')) throw new WebvirtError('bad-query', 'The filter holds a NUL character.');
  const filter: LineFilter = {};
  if (q !== undefined) filter.q = q;
  if (level !== undefined) filter.level = level as NonNullable<LineFilter['level']>;
  if (host !== undefined) filter.host = host;
  if (instance !== undefined) filter.instance = instance;
  if (source !== undefined) filter.source = source;
  if (job !== undefined) filter.job = job;
  if (session !== undefined) filter.session = session;
  return filter;
}
