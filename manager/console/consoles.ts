import { randomBytes } from 'node:crypto';
import { WebvirtError } from '../../common/errors.ts';
import type { AgentServiceMessage } from '../../common/wire/services.ts';
import { type Channel, createChannel } from './channel.ts';
import type { ConsolesConfig, ConsolesDeps, ViewerWay } from './ports.ts';
import { createViewer } from './viewer.ts';

export { CONSOLES_DEFAULTS } from './ports.ts';

export interface OpenConsole {
  /** Names it in every later event of this viewer. */
  id: string;
  write: boolean;
  /** The last bytes until now. Ask for it in the step in which the answer leaves. */
  recent(): Buffer;
  /** Bytes and states flow from here on. Call it right behind `recent`. */
  begin(): void;
  /** Sends keys. @throws {WebvirtError} forbidden for who only looks, wrong-state while it is not connected. */
  type(keys: string): void;
  /** There is room in the viewer's connection again. */
  pump(): void;
  close(): void;
}

export interface Consoles {
  /** @throws {WebvirtError} not-found, no-capacity */
  open(request: { instance: string; write: boolean; force: boolean; actor: string }, way: ViewerWay): OpenConsole;
  /** The links' side. */
  hostService: {
    kinds: readonly AgentServiceMessage['t'][];
    take(hostId: string, message: AgentServiceMessage): void;
    up(hostId: string): void;
    down(hostId: string): void;
  };
  stop(): void;
}

/** The serial consoles that somebody looks at, one channel for each instance. What is typed is written down nowhere. */
export function createConsoles(config: ConsolesConfig, deps: ConsolesDeps): Consoles {
  const { inventory, bus, log } = deps;
  const channels = new Map<string, Channel>();

  const wake = ({ id }: { id: string }) => channels.get(id)?.wake();
  const unlisten = [bus.on('instance', wake), bus.on('instance-gone', wake)];

  function channelOf(instance: string): Channel {
    const known = channels.get(instance);
    if (known !== undefined) return known;
    if (channels.size >= config.limitConsoles)
      throw new WebvirtError('no-capacity', `${config.limitConsoles} consoles are open already; close one first.`);
    const made = createChannel(instance, config, {
      ...deps,
      onIdle() {
        channels.get(instance)?.stop();
        channels.delete(instance);
      },
    });
    channels.set(instance, made);
    return made;
  }

  return {
    open({ instance, write, force, actor }, way) {
      if (inventory.instance(instance) === null && !channels.has(instance))
        throw new WebvirtError('not-found', 'No host reports an instance with this id.');
      const channel = channelOf(instance);
      const viewer = createViewer(config.queueBytes, way);
      const id = randomBytes(12).toString('hex');
      const openedAt = performance.now();
      const audit = (message: string, more: Record<string, unknown> = {}) =>
        log.info(message, { source: 'audit', instance, actor, write, ...more });
      audit(force ? 'Serial console opened, whoever has it on the host' : 'Serial console opened');
      let open = true;
      return {
        id,
        write,
        recent: () => channel.recent(),
        begin() {
          if (!open) return;
          const state = channel.state();
          if (state !== null) way.state(state);
          channel.join(viewer, { force });
        },
        type(keys) {
          if (!write) throw new WebvirtError('forbidden', 'This console was opened to look only.');
          channel.write(keys);
        },
        pump: viewer.pump,
        close() {
          if (!open) return;
          open = false;
          channel.leave(viewer);
          audit('Serial console closed', { openMs: Math.round(performance.now() - openedAt) });
        },
      };
    },
    hostService: {
      kinds: ['console-data', 'console-end'],
      take(hostId, message) {
        if (message.t !== 'console-data' && message.t !== 'console-end') return;
        for (const channel of channels.values()) channel.take(hostId, message);
      },
      up() {
        for (const channel of channels.values()) channel.wake();
      },
      down(hostId) {
        for (const channel of channels.values()) channel.hostDown(hostId);
      },
    },
    stop() {
      for (const off of unlisten) off();
      for (const channel of channels.values()) channel.stop();
      channels.clear();
    },
  };
}
