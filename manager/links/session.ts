import type WebSocket from 'ws';
import type { RawData } from 'ws';
import type { AgentMessage, ManagerMessage } from '../../common/wire/link.ts';
import { isServiceMessage } from '../../common/wire/services.ts';
import type { HelloMessage, LinkHandlers, LinkSender, LinksConfig } from './ports.ts';
import { readLines, readText } from './read-message.ts';

/**
 * A large message takes longer on a slow road than an agent may be silent: so many bytes of it are a sign of life. Fewer,
 * in that time, are a road on which nothing works.
 */
const ALIVE_BYTES = 4_096;

/** One connection, from its upgrade to its end. It is never used again after that: its number is its fence. */
export interface Session {
  send(message: ManagerMessage): boolean;
  /** True after the agent was told where to go on. */
  isOpen(): boolean;
  /** Ends at once; `onEnd` is called with the reason. */
  end(reason: string): void;
}

/**
 * Speaks with one agent. `onEnd` is called once; no handler is called after it. `socket` must be connecting.
 */
export function startSession(
  socket: WebSocket,
  hostId: string,
  config: LinksConfig,
  handlers: LinkHandlers,
  onEnd: (reason: string, wasOpen: boolean) => void,
): Session {
  let stage: 'connecting' | 'waiting' | 'greeting' | 'open' | 'ended' = 'connecting';
  let sender: LinkSender | null = null;
  let heardAt = performance.now();
  /** Bytes that had come when it was heard last. */
  let heardBytes = 0;
  let pings = 0;
  let wire: { bytesRead: number } | null = null;
  let unsettledBytes = 0;

  const timer = setInterval(() => {
    // What we do not read is not the agent's silence.
    if (socket.isPaused) heardAt = performance.now();
    else if (stage === 'open' && wire !== null && wire.bytesRead - heardBytes >= ALIVE_BYTES) {
      handlers.onHeard(hostId);
      heard();
    }
    const silentMs = performance.now() - heardAt;
    if (stage === 'open' ? silentMs >= config.silenceMs : silentMs >= config.handshakeMs * 2) {
      return end(stage === 'open' ? 'the agent is silent' : 'the agent did not say hello');
    }
    if (stage === 'open') send({ t: 'ping', id: ++pings });
  }, config.pingEveryMs);

  function heard(): void {
    heardAt = performance.now();
    heardBytes = wire?.bytesRead ?? 0;
  }

  function end(reason: string): void {
    if (stage === 'ended') return;
    const wasOpen = stage === 'open';
    stage = 'ended';
    clearInterval(timer);
    // No closing handshake: a peer that hangs would keep the socket for half a minute.
    socket.terminate();
    if (sender !== null) handlers.onClosed(sender);
    onEnd(reason, wasOpen);
  }

  function send(message: ManagerMessage): boolean {
    if (stage !== 'open') return false;
    if (socket.bufferedAmount > config.limitUnsentBytes) {
      end('the agent reads nothing');
      return false;
    }
    socket.send(JSON.stringify(message));
    return true;
  }

  async function greet(hello: HelloMessage): Promise<void> {
    stage = 'greeting';
    // Who it is says the certificate; the name is only for people.
    sender = { agent: hostId, hostId, hostName: hello.host.name };
    const { cursors, newEpoch } = await handlers.onHello(sender, hello);
    if ((stage as string) === 'ended') return;
    stage = 'open';
    if (newEpoch !== null) send({ t: 'new-epoch', reason: newEpoch });
    send({ t: 'resume', cursors });
    handlers.onOpen(hostId);
  }

  async function takeLines(from: LinkSender, message: Buffer): Promise<void> {
    const frames = readLines(message);
    unsettledBytes += message.byteLength;
    if (unsettledBytes > config.limitUnsettledBytes) socket.pause();
    const answers = await handlers.onFrames(from, frames);
    unsettledBytes -= message.byteLength;
    if (stage === 'ended') return;
    if (socket.isPaused && unsettledBytes <= config.limitUnsettledBytes / 2) socket.resume();
    for (const answer of answers) send(answer);
  }

  function takeText(message: AgentMessage): void {
    if (message.t === 'hello') throw new Error('a second hello');
    if (isServiceMessage(message)) handlers.onService(hostId, message);
    else if (message.t === 'job') handlers.onJobReport(hostId, message.job);
    else if (message.t !== 'pong') handlers.onState(hostId, message);
  }

  function take(data: RawData, isBinary: boolean): Promise<void> | undefined {
    const bytes = data as Buffer;
    if (isBinary) {
      if (stage !== 'open' || sender === null) throw new Error('lines came before the agent knew where to go on');
      handlers.onHeard(hostId);
      return takeLines(sender, bytes);
    }
    const message = readText(bytes.toString('utf8'));
    if (stage === 'waiting') {
      if (message.t !== 'hello') throw new Error('the first message was not a hello');
      return greet(message);
    }
    handlers.onHeard(hostId);
    takeText(message);
    return undefined;
  }

  const fail = (error: unknown) => end(error instanceof Error ? error.message : String(error));
  socket.on('upgrade', (answer) => {
    wire = answer.socket;
  });
  socket.on('open', () => {
    if (stage === 'connecting') stage = 'waiting';
  });
  socket.on('message', (data, isBinary) => {
    if (stage === 'ended') return;
    heard();
    try {
      take(data, isBinary)?.catch(fail);
    } catch (error) {
      fail(error);
    }
  });
  socket.on('error', fail);
  socket.on('close', (code) => end(`the connection ended (${code})`));
  return { send, isOpen: () => stage === 'open', end };
}
