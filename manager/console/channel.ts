import { randomBytes } from 'node:crypto';
import { isWebvirtError, WebvirtError } from '../../common/errors.ts';
import type { AgentServiceMessage } from '../../common/wire/services.ts';
import { createByteRing } from './byte-ring.ts';
import type { ConsoleState, ConsolesConfig, ConsolesDeps } from './ports.ts';
import type { Viewer } from './viewer.ts';

type DataMessage = Extract<AgentServiceMessage, { t: 'console-data' }>;

const HAS_CONSOLE = new Set(['running', 'paused', 'shutting-down']);
/** The agent is told what has come each time so much more has. */
const ACK_BYTES = 64 * 1024;

/** The way to the agent, from the question to the end. */
interface Road {
  id: string;
  host: string;
  hostName: string;
  open: boolean;
  receivedBytes: number;
  ackedBytes: number;
}

/** The console of one instance: one way to its agent, shared by all who look, made anew when it ends. */
export interface Channel {
  join(viewer: Viewer, options: { force: boolean }): void;
  leave(viewer: Viewer): void;
  /** The last bytes, for a newcomer. */
  recent(): Buffer;
  state(): ConsoleState | null;
  /** @throws {WebvirtError} wrong-state while it is not connected. */
  write(keys: string): void;
  /** Something changed that may let it connect, or that moved it. */
  wake(): void;
  take(host: string, message: AgentServiceMessage & { id: string }): void;
  hostDown(host: string): void;
  /** True while the agent holds it or somebody looks. */
  readonly alive: boolean;
  stop(): void;
}

export function createChannel(
  instance: string,
  config: ConsolesConfig,
  deps: Pick<ConsolesDeps, 'inventory' | 'link' | 'ask'> & { onIdle(): void },
): Channel {
  const { inventory, link } = deps;
  const viewers = new Set<Viewer>();
  const ring = createByteRing(config.recentBytes);
  let road: Road | null = null;
  let told: ConsoleState | null = null;
  let retry: NodeJS.Timeout | undefined;
  let linger: NodeJS.Timeout | undefined;
  let failures = 0;
  let stopped = false;

  function tell(state: ConsoleState): void {
    // A try that fails as the one before is no news.
    if (told !== null && told.ended === state.ended && told.host === state.host) return;
    told = state;
    for (const viewer of viewers) viewer.way.state(state);
  }

  function ended(at: { host: string; hostName: string }, reason: string, code?: string): void {
    tell({ host: at.host, hostName: at.hostName, ended: reason, ...(code === undefined ? {} : { code }) });
  }

  function again(): void {
    clearTimeout(retry);
    const waitMs = Math.min(config.longestRetryMs, config.firstRetryMs * 2 ** Math.min(failures, 8));
    failures += 1;
    retry = setTimeout(() => connect(false), waitMs);
  }

  /** Why it is not even tried. */
  function obstacle(place: ReturnType<typeof inventory.instance>): { reason: string; code?: string } | null {
    if (place === null) return { reason: 'No host reports this instance now.' };
    if (!HAS_CONSOLE.has(place.state)) return { reason: `The instance is ${place.state}.` };
    if (!link.connected(place.host)) return { reason: 'The host does not answer now.', code: 'host-unreachable' };
    return null;
  }

  function connect(force: boolean): void {
    clearTimeout(retry);
    retry = undefined;
    if (stopped || viewers.size === 0 || road !== null) return;
    const place = inventory.instance(instance);
    const why = obstacle(place);
    if (place === null || why !== null) {
      ended(place ?? { host: '', hostName: '' }, why?.reason ?? '', why?.code);
      return;
    }
    const id = randomBytes(12).toString('hex');
    const mine: Road = { id, host: place.host, hostName: place.hostName, open: false, receivedBytes: 0, ackedBytes: 0 };
    road = mine;
    deps.ask(mine.host, 'console-open', { id, instance, force, backlog: ring.size === 0 }).then(
      () => {
        if (road === mine) opened(mine);
        else link.send(mine.host, { t: 'console-close', id });
      },
      (error: unknown) => {
        if (road !== mine) return;
        road = null;
        // It may come to pass after all: an answer that was late is no answer.
        link.send(mine.host, { t: 'console-close', id });
        const known = isWebvirtError(error) ? error : new WebvirtError('internal');
        ended(mine, known.publicMessage, known.code);
        again();
      },
    );
  }

  function opened(mine: Road): void {
    if (mine.open) return;
    mine.open = true;
    tell({ host: mine.host, hostName: mine.hostName, ended: null });
  }

  function data(mine: Road, message: DataMessage): void {
    opened(mine);
    failures = 0;
    const bytes = Buffer.from(message.data, 'base64');
    mine.receivedBytes += bytes.length;
    if (mine.receivedBytes - mine.ackedBytes >= ACK_BYTES) {
      mine.ackedBytes = mine.receivedBytes;
      link.send(mine.host, { t: 'console-ack', id: mine.id, bytes: mine.receivedBytes });
    }
    ring.push(bytes);
    for (const viewer of viewers) viewer.push(bytes, message.data, message.skipped ?? 0);
  }

  function giveBack(): void {
    if (road !== null) link.send(road.host, { t: 'console-close', id: road.id });
    road = null;
  }

  return {
    get alive() {
      return viewers.size > 0 || road !== null;
    },
    join(viewer, { force }) {
      clearTimeout(linger);
      viewers.add(viewer);
      if (road === null) connect(force);
    },
    leave(viewer) {
      if (!viewers.delete(viewer) || viewers.size > 0) return;
      clearTimeout(retry);
      linger = setTimeout(() => {
        giveBack();
        deps.onIdle();
      }, config.lingerMs);
      linger.unref();
    },
    recent: () => ring.read(),
    state: () => told,
    write(keys) {
      if (road?.open !== true || !link.send(road.host, { t: 'console-input', id: road.id, data: keys }))
        throw new WebvirtError('wrong-state', 'The console is not connected now: these keys were not sent.');
    },
    wake() {
      const place = inventory.instance(instance);
      if (road !== null && place !== null && place.host !== road.host && HAS_CONSOLE.has(place.state)) {
        const before = road;
        giveBack();
        ended(before, `The instance moved to ${place.hostName}.`);
        connect(false);
      } else if (road === null && (retry === undefined || told?.code === 'host-unreachable')) connect(false);
      // What it is now may be news even where a try waits: a guest that was turned off.
      else if (road === null && place !== null && !HAS_CONSOLE.has(place.state)) connect(false);
    },
    take(host, message) {
      if (road === null || road.host !== host || road.id !== message.id) return;
      const mine = road;
      if (message.t === 'console-data') data(mine, message);
      if (message.t !== 'console-end') return;
      road = null;
      ended(mine, message.reason, message.code);
      again();
    },
    hostDown(host) {
      if (road?.host !== host) return;
      const before = road;
      road = null;
      ended(before, 'The host does not answer now.', 'host-unreachable');
    },
    stop() {
      stopped = true;
      clearTimeout(retry);
      clearTimeout(linger);
      giveBack();
      viewers.clear();
    },
  };
}
