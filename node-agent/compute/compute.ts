import type { ComputeServer } from '../../common/model/compute.ts';
import type { NewLine } from '../../common/model/line.ts';
import type { AgentServiceMessage, ComputeRequest, ManagerServiceMessage } from '../../common/wire/services.ts';
import type { Logger } from '../../logging/logger.ts';
import type { EventQueueCaps } from './event-queue.ts';
import { createHeldLines } from './held-lines.ts';
import { createOutbound } from './outbound.ts';
import { createServerClient, type ServerClientConfig } from './server-client.ts';
import { absentServer, type ServerMessage } from './server-messages.ts';
import { createSession, type Session } from './session.ts';

export interface ComputeConfig extends Omit<ServerClientConfig, 'socketPath'> {
  caps: EventQueueCaps;
  /** How long lines may be held back so that they share a sync. */
  holdLinesMs: number;
}

export const COMPUTE_DEFAULTS: ComputeConfig = {
  firstRetryMs: 100,
  longestRetryMs: 2_000,
  pingEveryMs: 5_000,
  silenceMs: 30_000,
  holdLinesMs: 50,
  caps: { waitingBytes: 8 * 1024 * 1024, eventBytes: 8 * 1024 * 1024 },
};

export interface ComputeDeps {
  emit(line: NewLine): void;
  log: Pick<Logger, 'info' | 'warn'>;
  now(): number;
}

/** What the link of this agent is given: see `LinkService` of node-agent/serve/services.ts. */
export interface ComputeService {
  takes: readonly ManagerServiceMessage['t'][];
  attach(send: (message: AgentServiceMessage) => void): {
    take(message: ManagerServiceMessage): void;
    detach(): void;
  };
}

/**
 * Computations on this host: between the manager's link and the compute server's socket. The server's sessions live as
 * long as our connection to it, so when either of us goes they die, and that is told; nothing is ever run again.
 */
export function createCompute(
  config: ComputeConfig & { socketPath: string },
  { emit, log, now }: ComputeDeps,
): { service: ComputeService; start(): void; stop(): void } {
  const sessions = new Map<string, Session>();
  const outbound = createOutbound(sessions);
  const lines = createHeldLines(config.holdLinesMs, emit);
  let server: ComputeServer = absentServer('The agent has not reached its compute server yet.');

  const client = createServerClient(config, { onMessages, onGone, log });

  function tellServer(next: ComputeServer): void {
    if (next.state !== server.state) log.info('The compute server changed', { state: next.state, reason: next.reason });
    server = next;
    outbound.tell({ t: 'compute-server', server });
  }

  function onGone(reason: string): void {
    for (const session of sessions.values()) {
      if (session.state === 'opening') refuse(session, 'no-kernel', reason);
      else session.die({ cause: 'server-gone', text: `${reason}; everything that ran in it is lost` });
    }
    outbound.pump();
    tellServer(absentServer(reason));
  }

  function refuse(session: Session, code: string, message: string): void {
    sessions.delete(session.id);
    outbound.tell({ t: 'compute-opened', session: session.id, error: { code, message: message.slice(0, 1024) } });
  }

  function onMessages(messages: ServerMessage[]): void {
    for (const message of messages) onMessage(message);
    outbound.pump();
  }

  function onMessage(message: ServerMessage): void {
    if (message.t === 'server') tellServer(message.server);
    else if (message.t === 'use') outbound.tell({ t: 'compute-use', list: message.list.slice(0, 4096) });
    if (!('session' in message)) return;
    const session = sessions.get(message.session);
    if (session === undefined) return;
    if (message.t === 'opened') {
      session.opened();
      outbound.tell({ t: 'compute-opened', session: session.id, error: null });
    } else if (message.t === 'refused') refuse(session, message.code, message.message);
    else if (message.t === 'event') session.event(message.tsMs, message.event);
    else {
      const matches = message.matches.filter((match) => match.length <= 512).slice(0, 500);
      outbound.tell({ ...message, t: 'compute-completed', matches });
    }
  }

  function open(id: string, { kernel, owner }: Extract<ComputeRequest, { op: 'open' }>): void {
    if (sessions.has(id)) return;
    const session = createSession({ id, kernel, owner, caps: config.caps }, { emit: lines.emit, now });
    sessions.set(id, session);
    if (!client.send({ op: 'open', session: id, kernel }))
      refuse(session, 'no-kernel', server.reason ?? 'No compute server answers on this host.');
  }

  function request(id: string, asked: ComputeRequest): void {
    if (asked.op === 'open') {
      open(id, asked);
      return;
    }
    const session = sessions.get(id);
    if (session === undefined || session.state === 'dead') return;
    if (asked.op === 'execute' && !session.takesCell(asked.cell)) return;
    client.send({ ...asked, session: id });
  }

  return {
    service: {
      takes: ['compute', 'compute-ack'],
      attach(send) {
        const detach = outbound.attach(send, server);
        return {
          take(message) {
            if (message.t === 'compute') request(message.session, message.request);
            else if (message.t === 'compute-ack') outbound.acked(message.session, message.next);
          },
          detach,
        };
      },
    },
    start: () => client.start(),
    stop() {
      client.stop();
      for (const session of sessions.values())
        session.die({ cause: 'agent-gone', text: 'The agent of the host was stopped, and its sessions with it' });
      outbound.pump();
      sessions.clear();
      lines.flush();
    },
  };
}
