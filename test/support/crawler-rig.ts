import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '../../common/model/discovery.ts';
import { createBus } from '../../manager/bus/bus.ts';
import { createInbox } from '../../manager/live/crawler-inbox.ts';
import { type CrawlerIntake, crawlerSocket } from '../../manager/live/crawler-socket.ts';
import type { Client } from '../../manager/live/socket-event.ts';
import type { StoredHost } from '../../manager/store/ports.ts';
import { openStateStore } from '../../manager/store/sqlite/open.ts';

export const A = 'a'.repeat(32);
export const B = 'b'.repeat(32);

export function finding(more: Partial<Finding> = {}): Finding {
  const words = { product: 'webvirt-agent', version: '0.1.0', claimedName: 'h', detail: null };
  return { address: '10.0.0.5', port: 4601, id: A, state: 'unenrolled', ...words, ...more };
}

export function host(more: Partial<StoredHost> = {}): StoredHost {
  const none = { enrolledMs: 1, enrolledBy: 'x', agentVersion: '', facts: null, seenMs: 0, revokedMs: null };
  return { id: A, address: '10.0.0.5', port: 4601, ...none, ...more };
}

/** Inbox and crawler's socket on a real state store, with a client, a clock and an intake to be bent. */
export function crawlerRig() {
  const folder = mkdtempSync(join(tmpdir(), 'webvirt-inbox-'));
  const state = openStateStore(join(folder, 'state.sqlite'));
  const bus = createBus((error) => {
    throw error;
  });
  const alarms: { message: string; fields: Record<string, unknown> }[] = [];
  const emitted: [string, unknown][] = [];
  const gone: (() => void)[] = [];
  const changed: string[] = [];
  bus.on('candidate', ({ id }) => changed.push(id));
  const clock = { nowMs: 1_000_000 };
  const now = () => clock.nowMs;
  const intake: CrawlerIntake = {
    hello: async () => ({ cursors: [], newEpoch: null }),
    acceptFrames: async () => [{ t: 'ack', next: 7 }],
    closed: () => {},
  };
  const openInbox = () =>
    createInbox({ ...state, bus, alarm: (message, fields) => void alarms.push({ message, fields }), now });
  const inbox = openInbox();
  const log = { info: () => undefined };
  const crawler = crawlerSocket({ ...state, intake, inbox, bus, log, now });
  const client = {
    emit: (...given: [string, unknown]) => emitted.push(given) > 0,
    connected: true,
    onGone: (callback: () => void) => void gone.push(callback),
  } as unknown as Client;

  /** Sends an event as the dispatcher does: only what its schema accepts comes through. */
  async function send(name: string, body: unknown): Promise<unknown> {
    const event = crawler.events.find((one) => one.name === name);
    if (event?.access !== 'service') throw new Error(`${name} is not for the service role alone`);
    const { data, behind } = await event.handle(event.body.parse(body), client);
    const answer = data();
    behind?.();
    return answer;
  }

  return {
    ...{ state, bus, alarms, emitted, gone, changed, clock, intake, inbox, openInbox, crawler, send },
    found: (...list: Finding[]) => send('crawler:findings', { scanId: 's', list }),
    stop() {
      crawler.stop();
      state.close();
      rmSync(folder, { recursive: true });
    },
  };
}
