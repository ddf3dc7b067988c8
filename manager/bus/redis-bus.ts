import { randomBytes } from 'node:crypto';
import { openRedis, type RedisAddress, whenReady } from '../../logging/redis-connection.ts';
import type { Bus, BusEvents } from './bus.ts';
import type { LeadStore } from './redis/hold.ts';
import { createIncoming } from './redis/incoming.ts';
import { createLease, LEASE_DEFAULTS, type LeaseConfig } from './redis/lease.ts';
import { createOutgoing, type OutgoingEntry } from './redis/outgoing.ts';
import { endPresence, type Presence, showPresence, speaksOurs } from './redis/presence.ts';
import { type Hint, keysOf, linesOf, type Note, SHARED_HINTS, WIRE_VERSION } from './redis/wire.ts';

export interface RedisBusConfig extends RedisAddress {
  prefix: string;
  /** Stays the same over restarts; no two managers have the same. */
  managerId: string;
  /** For people. */
  name: string;
  version: string;
  /** What waits while Redis is away, characters; beyond it the oldest lines go. */
  limitChars: number;
  /** Entries that a manager's stream keeps for others that are away. */
  keepEntries: number;
  /** Times of the lease; absent: LEASE_DEFAULTS. */
  lease?: Partial<Omit<LeaseConfig, 'key' | 'owner'>>;
}

export interface RedisBusLog {
  info(message: string, fields?: Record<string, unknown>): unknown;
  warn(message: string, fields?: Record<string, unknown>): unknown;
}

export type BusNumbers = Record<
  'peers' | 'away' | 'leads' | 'sentLines' | 'droppedLines' | 'receivedLines' | 'missedLines' | 'waitingChars',
  number
>;

/**
 * Joins the buses of several managers over Redis. Lines come as `peer-lines`, in order for each manager and each once;
 * what was lost on the way as `peer-break`. Hints are told again on this bus. Nothing here is waited for by anybody:
 * Redis may hang or be away for ever, and this manager works as if it were alone.
 */
export interface RedisBus {
  start(): void;
  stop(): Promise<void>;
  /** The other managers that are there now. */
  peers(): Presence[];
  numbers(): BusNumbers;
  /** Tells the others something whole; they hear it in order. */
  tell(note: Note): void;
  /** True when Redis has everything that was told so far; false when it is away. */
  taken(): Promise<boolean>;
  readonly leads: boolean;
  /** Asked right before somebody is told. Where the managers share a store that is asked: our own word may be an old one. */
  stillLeads(): Promise<boolean>;
}

/** What a manager that shares more than lines and hints needs to hear. */
export interface BusListener {
  /** Throws when it cannot be read. */
  onNote(manager: Presence, note: Note): void;
  /** Somebody came, or missed something: everything is told anew. */
  onTellAll(): void;
  /** This manager looks after what must happen once, or does so no more. */
  onLead(leads: boolean): void;
}

const PRESENCE_EVERY_MS = 3_000;
const COMMAND_LIMIT_MS = 2_000;
const STOP_LIMIT_MS = 500;
/** How long a stream of a run outlives it. */
const STREAM_TTL_S = 3_600;

export function createRedisBus(
  config: RedisBusConfig,
  {
    bus,
    log,
    listener,
    leadStore,
  }: { bus: Bus; log: RedisBusLog; listener?: BusListener; leadStore?: LeadStore | null },
): RedisBus {
  const keys = keysOf(config.prefix);
  const me: Presence = {
    ...{ id: config.managerId, name: config.name, run: randomBytes(6).toString('hex'), version: config.version },
    ...{ wire: WIRE_VERSION, startedMs: Date.now() },
  };
  const stream = keys.stream(me.id, me.run);
  const writer = openRedis(config, { name: 'webvirt bus out', commandLimitMs: COMMAND_LIMIT_MS });
  const reader = openRedis(config, { name: 'webvirt bus in', commandLimitMs: null });
  const unlisten: (() => void)[] = [];
  const knownRuns = new Set<string>();
  let tellAgain: NodeJS.Timeout | undefined;
  let receivedLines = 0;
  let missedLines = 0;
  /** True while an event of another manager is told here: what follows from it at once is not told back. */
  let isRetelling = false;
  let isShown = false;
  let heartbeat: NodeJS.Timeout | undefined;

  async function send({ seq, upTo, text }: OutgoingEntry): Promise<void> {
    await whenReady(writer);
    try {
      // The number is the entry's id: an entry that is sent again because its answer was lost is refused.
      await writer.xadd(stream, 'MAXLEN', '~', config.keepEntries, `0-${seq}`, 'n', upTo, 'd', text);
    } catch (error) {
      const { message } = error as Error;
      if (/timed out/i.test(message)) writer.disconnect(true);
      if (!/equal or smaller/i.test(message)) throw error;
    }
  }

  const outgoing = createOutgoing(config, {
    send,
    onTrouble: (error) =>
      log.warn('the other managers cannot be told what happens here', { reason: error.message, waiting: true }),
    onBack(droppedLines) {
      log.info('the other managers are told again what happens here', { droppedLines });
      if (outgoing.lostNotes()) listener?.onTellAll();
    },
  });
  const lease = createLease(
    { ...LEASE_DEFAULTS, ...config.lease, key: keys.lease, owner: `${me.id}:${me.run}` },
    {
      redis: writer,
      store: leadStore ?? null,
      onChange(leads) {
        log.info(leads ? 'this manager looks after the rules of all' : 'another manager looks after the rules', {});
        listener?.onLead(leads);
      },
    },
  );
  const incoming = createIncoming({
    ...{ redis: reader, keys, ownId: me.id },
    onMessage(manager, { batches, notes, hints }) {
      if (batches.length > 0) {
        receivedLines += batches.reduce((sum, batch) => sum + linesOf(batch), 0);
        bus.emit('peer-lines', { manager: manager.id, batches });
      }
      isRetelling = true;
      for (const note of notes) {
        try {
          listener?.onNote(manager, note);
        } catch (error) {
          log.warn('a note of another manager cannot be used', {
            ...{ manager: manager.name, kind: note.kind, reason: String(error) },
          });
        }
      }
      for (const [name, event] of hints) bus.emit(name, event as never);
      isRetelling = false;
    },
    onBreak(manager, lines) {
      missedLines += lines;
      bus.emit('peer-break', { manager: manager.id, lines });
    },
    onPeers(peers) {
      for (const { name, version, wire } of peers.filter((peer) => !speaksOurs(peer)))
        log.warn('a manager of another version is not heard', { manager: name, version, wire });
      log.info('the managers that are there', { managers: peers.map(({ name }) => name) });
      const fresh = peers.filter((peer) => speaksOurs(peer) && !knownRuns.has(peer.run));
      for (const { run } of fresh) knownRuns.add(run);
      if (fresh.length === 0) return;
      listener?.onTellAll();
      // Once more: it may have been heard of before it began to read.
      clearTimeout(tellAgain);
      tellAgain = setTimeout(() => listener?.onTellAll(), PRESENCE_EVERY_MS).unref();
    },
    onBadEntry: (manager, error) =>
      log.warn('an entry of another manager cannot be read', { manager: manager.name, reason: String(error) }),
  });

  async function show(): Promise<void> {
    try {
      await whenReady(writer);
      await showPresence(writer, keys, me, !isShown);
      await writer.expire(stream, STREAM_TTL_S);
      isShown = true;
    } catch {
      // Redis may have lost everything: the others are told to look again.
      isShown = false;
    }
  }

  return {
    start() {
      unlisten.push(bus.on('lines', ({ batches }) => outgoing.lines(batches)));
      for (const name of SHARED_HINTS)
        unlisten.push(
          bus.on(name, (event: BusEvents[typeof name]) => {
            if (!isRetelling) outgoing.hint([name, event] as Hint);
          }),
        );
      writer.on('ready', () => {
        outgoing.wake();
        void show();
      });
      heartbeat = setInterval(() => void show(), PRESENCE_EVERY_MS);
      incoming.start();
      lease.start();
    },
    async stop() {
      for (const stop of unlisten.splice(0)) stop();
      clearInterval(heartbeat);
      clearTimeout(tellAgain);
      const given = lease.stop();
      incoming.stop();
      outgoing.stop();
      const late = new Promise((resolve) => setTimeout(resolve, STOP_LIMIT_MS).unref());
      if (writer.status === 'ready')
        await Promise.race([Promise.all([given, endPresence(writer, keys, me).catch(() => undefined)]), late]);
      writer.disconnect();
    },
    peers: incoming.peers,
    numbers: () => ({
      ...{ peers: incoming.peers().length, away: outgoing.stats.away ? 1 : 0, leads: lease.isOurs ? 1 : 0 },
      ...{ sentLines: outgoing.stats.sentLines, droppedLines: outgoing.stats.droppedLines },
      ...{ receivedLines, missedLines, waitingChars: outgoing.stats.waitingChars },
    }),
    tell: outgoing.note,
    taken: outgoing.taken,
    get leads() {
      return lease.isOurs;
    },
    stillLeads: lease.confirm,
  };
}
