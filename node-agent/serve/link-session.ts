import type { WebSocket } from 'ws';
import { isWebvirtError } from '../../common/errors.ts';
import {
  type AgentMessage,
  type Command,
  type JobReport,
  LINK_VERSION,
  type ManagerMessage,
  managerMessageSchema,
} from '../../common/wire/link.ts';
import { isServiceMessage } from '../../common/wire/services.ts';
import { errorFields, type Logger } from '../../logging/logger.ts';
import { createLineSender, type LineSenderDeps, type SentSpool } from './line-sender.ts';
import type { ServedCommands, ServedHypervisor } from './ports.ts';
import { type AttachedService, attachServices, type LinkService } from './services.ts';
import { startStateSender } from './state-sender.ts';

/** Unsent state in memory, at most; a manager that reads nothing is not a manager. */
const LIMIT_UNSENT_BYTES = 24 * 1024 * 1024;
/** Messages that may wait until it is decided whether this link is let in. */
const MAX_WAITING = 256;

export interface LinkDeps {
  version: string;
  spool: SentSpool & { waiting(): { lines: number } };
  hypervisor: ServedHypervisor;
  commands: ServedCommands;
  /** What else shares the link; none where absent. */
  services?: readonly LinkService[];
  failpoint: LineSenderDeps['failpoint'];
  log: Logger;
  now(): number;
}

/** One connection of a manager. It says hello at once; lines and state flow, and commands run, once it is let in. */
export interface LinkSession {
  /** Answers the manager's `resume` and begins. */
  letIn(): void;
  end(reason: string): void;
  heardAt(): number;
  /** Resolves with whether the peer answers a ping within this time. */
  answers(withinMs: number): Promise<boolean>;
}

export function createLinkSession(
  socket: WebSocket,
  deps: LinkDeps,
  on: { resume(session: LinkSession): void; end(session: LinkSession, reason: string): void },
): LinkSession {
  const { spool, commands, log } = deps;
  const lines = createLineSender({ spool, failpoint: deps.failpoint, send: sendRaw, orEnd });
  let state: { stop(): void } | null = null;
  let services: AttachedService | null = null;
  let stage: 'greeted' | 'waiting' | 'in' | 'ended' = 'greeted';
  let waiting: ManagerMessage[] = [];
  let heardAt = performance.now();
  let sentBack = false;

  function sendRaw(message: Buffer | string, onGone?: () => void): void {
    if (stage === 'ended') return;
    if (socket.bufferedAmount > LIMIT_UNSENT_BYTES) end('the manager reads nothing');
    else socket.send(message, { binary: typeof message !== 'string' }, onGone);
  }
  const send = (message: AgentMessage) => sendRaw(JSON.stringify(message));

  function end(reason: string): void {
    if (stage === 'ended') return;
    stage = 'ended';
    lines.stop();
    state?.stop();
    services?.detach();
    // No closing handshake: a peer that hangs would keep the socket for half a minute.
    socket.terminate();
    on.end(session, reason);
  }

  /** A spool that cannot be read or written now (a full or failing disk) costs this link, never the agent. */
  function orEnd(work: () => void): void {
    try {
      work();
    } catch (error) {
      log.error('The link failed inside', errorFields(error));
      end('it failed inside');
    }
  }

  function take(message: ManagerMessage): void {
    if (message.t === 'ping') send({ t: 'pong', id: message.id });
    else if (stage !== 'in') wait(message);
    else if (message.t === 'resume') lines.resume(message.cursors);
    else if (message.t === 'ack') {
      sentBack = false;
      lines.acked({ epoch: message.epoch, next: message.next, hash: message.hash });
    } else if (message.t === 'nack') {
      // Once until lines are taken again: each try would else add a line to those that wait.
      if (!sentBack) log.warn('The manager cannot take lines now', { epoch: message.epoch, reason: message.reason });
      sentBack = true;
      lines.nacked(message.epoch, message.retryMs);
    } else if (message.t === 'new-epoch') lines.newEpoch(message.reason);
    else if (message.t === 'command') submit(message.command);
    else if (isServiceMessage(message)) services?.take(message);
    else if (message.t === 'cancel') commands.cancel(message.opId);
    else commands.acked(message.opId);
  }

  function wait(message: ManagerMessage): void {
    waiting.push(message);
    if (waiting.length > MAX_WAITING) end('too many messages before it was let in');
    if (message.t !== 'resume' || stage !== 'greeted') return;
    stage = 'waiting';
    on.resume(session);
  }

  function submit(command: Command): void {
    try {
      send({ t: 'job', job: commands.submit(command) });
    } catch (error) {
      if (!isWebvirtError(error)) log.error('A command failed inside', { job: command.opId, ...errorFields(error) });
      send({ t: 'job', job: refused(command, error) });
    }
  }

  const session: LinkSession = {
    letIn() {
      if (stage !== 'waiting') return;
      stage = 'in';
      const early = waiting;
      waiting = [];
      const isIn = () => stage === 'in';
      orEnd(() => {
        if (isIn()) services = attachServices(deps.services ?? [], send, log);
        for (const message of early) if (isIn()) take(message);
        if (isIn()) state = startStateSender({ ...deps, send });
      });
      // It may have ended while the first state was sent.
      if (!isIn()) {
        state?.stop();
        services?.detach();
      }
    },
    end,
    heardAt: () => heardAt,
    answers: (withinMs) =>
      new Promise((resolve) => {
        const done = (is: boolean) => {
          clearTimeout(timer);
          socket.off('pong', onPong);
          socket.off('close', onClose);
          resolve(is);
        };
        const onPong = () => done(true);
        const onClose = () => done(false);
        const timer = setTimeout(onClose, withinMs);
        socket.once('pong', onPong);
        socket.once('close', onClose);
        socket.ping();
      }),
  };

  socket.on('message', (data, isBinary) => {
    if (stage === 'ended') return;
    heardAt = performance.now();
    const message = isBinary ? null : parse(String(data));
    if (message === null) end('a message is not of the agreed form');
    else orEnd(() => take(message));
  });
  socket.on('pong', () => {
    heardAt = performance.now();
  });
  socket.on('error', (error) => end(error.message));
  socket.on('close', (code) => end(`the connection ended (${code})`));
  const { version, now, hypervisor } = deps;
  send({
    t: 'hello',
    v: LINK_VERSION,
    version,
    clockMs: now(),
    host: hypervisor.facts(),
    epochs: spool.epochs(),
  });
  return session;
}

function parse(text: string): ManagerMessage | null {
  try {
    return managerMessageSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** A command that was not taken has no journal entry: the manager learns it here, once. */
function refused({ opId, verb, instance }: Command, error: unknown): JobReport {
  const known = isWebvirtError(error);
  return {
    opId,
    verb,
    instance,
    state: 'failed',
    final: true,
    progress: null,
    startedMs: null,
    endedMs: null,
    error: known
      ? { code: error.code, message: error.publicMessage }
      : { code: 'internal', message: 'It failed inside.' },
    result: null,
  };
}
