import { WebvirtError } from '../../common/errors.ts';
import type { Scan, ScanKind } from '../../common/model/discovery.ts';
import type { EpochCursor, EpochRange, FrameHeader } from '../../common/wire/link.ts';
import type { Bus } from '../bus/bus.ts';
import type { HostStore, ScanStore } from '../store/ports.ts';
import type { Inbox } from './crawler-inbox.ts';
import { crawlerScanSchema, findingsSchema, linesSchema, readySchema, vanishedSchema } from './crawler-schema.ts';
import { type Client, defineEvent, type Handled, type SocketEvent } from './socket-event.ts';

interface Sender {
  agent: string;
  hostId: string;
  hostName: string;
}

/** What is needed of intake: the crawler's lines go the same road as those of the agents. */
export interface CrawlerIntake {
  hello(sender: Sender, epochs: readonly EpochRange[]): Promise<{ cursors: EpochCursor[]; newEpoch: string | null }>;
  acceptFrames(
    sender: Sender,
    frames: readonly { header: FrameHeader; body: Uint8Array }[],
  ): Promise<({ t: 'ack'; next: number } | { t: 'nack'; reason: string } | { t: 'new-epoch'; reason: string })[]>;
  closed(sender: Sender): void;
}

export interface CrawlerSocketDeps {
  intake: CrawlerIntake;
  inbox: Inbox;
  scans: ScanStore;
  hosts: Pick<HostStore, 'list'>;
  bus: Bus;
  log: { info(message: string, fields?: Record<string, unknown>): unknown };
  now(): number;
}

/** The crawler's side of the live sockets: hand `events` to `createLive`. */
export interface CrawlerSocket {
  events: SocketEvent[];
  /** The ranges the crawler may scan, or null while it is not connected. */
  ranges(): string[] | null;
  /** Asks for a scan. False when no crawler is connected. */
  run(request: { scanId: string; kind: ScanKind; range: string; actor: string }): boolean;
  stop(): void;
}

const SENDER: Sender = { agent: 'crawler', hostId: '', hostName: '' };
const KNOWN_GAP_MS = 200;
const SCANS_LOOKED_AT = 1_000;

export function crawlerSocket(deps: CrawlerSocketDeps): CrawlerSocket {
  const { intake, inbox, scans, bus } = deps;
  let crawler: { client: Client; ranges: string[] } | null = null;
  let toldKnown = '';
  let knownTimer: NodeJS.Timeout | undefined;

  function putScan(scan: Scan): void {
    scans.put(scan);
    bus.emit('scan', { id: scan.id });
  }
  /** A crawler that comes anew tells what it still runs right after; the rest will never end by itself. */
  function closeOpenScans(): void {
    for (const scan of scans.list(SCANS_LOOKED_AT))
      if (scan.state === 'queued' || scan.state === 'running')
        putScan({ ...scan, state: 'failed', endedMs: deps.now(), error: 'The crawler was started again meanwhile.' });
  }
  function tellKnown(): void {
    const list = deps.hosts
      .list()
      .filter((host) => host.revokedMs === null)
      .map(({ address, port, id }) => ({ address, port, id }));
    const text = JSON.stringify(list);
    if (text === toldKnown || crawler === null) return;
    toldKnown = text;
    crawler.client.emit('crawler:known', { list });
  }
  // Hosts change with every sample; who they are seldom does.
  const unlisten = bus.on('host', ({ id }) => {
    inbox.hostChanged(id);
    knownTimer ??= setTimeout(() => {
      knownTimer = undefined;
      tellKnown();
    }, KNOWN_GAP_MS);
  });
  const nothing: Handled = { data: () => null };

  const events = [
    defineEvent({
      name: 'crawler:ready',
      access: 'service',
      body: readySchema,
      async handle({ version, ranges, epochs }, client) {
        const answer = await intake.hello(SENDER, epochs);
        closeOpenScans();
        // The newest one is the crawler: an older connection may be one that has not noticed its end.
        crawler = { client, ranges };
        toldKnown = '';
        client.onGone(() => {
          if (crawler?.client !== client) return;
          crawler = null;
          intake.closed(SENDER);
        });
        deps.log.info('the crawler is connected', { version, ranges });
        return { data: () => answer, behind: tellKnown };
      },
    }),
    defineEvent({
      name: 'crawler:scan',
      access: 'service',
      body: crawlerScanSchema,
      handle(scan) {
        const asked = scans.get(scan.id);
        // Who asked and for what is our word, not the crawler's.
        putScan(asked === null ? scan : { ...scan, actor: asked.actor, kind: asked.kind });
        return nothing;
      },
    }),
    defineEvent({
      name: 'crawler:findings',
      access: 'service',
      body: findingsSchema,
      handle({ list }) {
        for (const finding of list) inbox.merge(finding);
        return nothing;
      },
    }),
    defineEvent({
      name: 'crawler:vanished',
      access: 'service',
      body: vanishedSchema,
      handle({ list }) {
        for (const target of list) inbox.vanished(target);
        return nothing;
      },
    }),
    defineEvent({
      name: 'crawler:lines',
      access: 'service',
      body: linesSchema,
      async handle(frame) {
        const answers = await intake.acceptFrames(SENDER, [frame]);
        const ack = answers.find((answer) => answer.t === 'ack');
        if (ack !== undefined) return { data: () => ({ next: ack.next }) };
        const anew = answers.find((answer) => answer.t === 'new-epoch');
        if (anew !== undefined) return { data: () => ({ next: 0, newEpoch: anew.reason }) };
        const nack = answers.find((answer) => answer.t === 'nack');
        throw new WebvirtError('store-unavailable', nack?.reason);
      },
    }),
  ];

  return {
    events,
    ranges: () => crawler?.ranges ?? null,
    run: (request) => crawler?.client.emit('crawler:run', request) ?? false,
    stop() {
      unlisten();
      clearTimeout(knownTimer);
    },
  };
}
