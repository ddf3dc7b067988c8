import type { Instance } from '../../common/model/instance.ts';
import type { ManagerServiceMessage } from '../../common/wire/services.ts';
import type { Bus } from '../bus/bus.ts';

export interface ConsolesConfig {
  /** Bytes of each console that a newcomer is shown. */
  recentBytes: number;
  /** Most bytes that wait for one slow viewer; the oldest go first, counted. */
  queueBytes: number;
  /** A console that nobody looks at any more is given back after this time: whoever reloads a page finds it as it was. */
  lingerMs: number;
  /** The second try to connect comes after this time; it doubles up to the longest. */
  firstRetryMs: number;
  longestRetryMs: number;
  limitConsoles: number;
}

export const CONSOLES_DEFAULTS: ConsolesConfig = {
  recentBytes: 64 * 1024,
  queueBytes: 256 * 1024,
  lingerMs: 15_000,
  firstRetryMs: 300,
  longestRetryMs: 5_000,
  limitConsoles: 256,
};

/** What consoles need of the rest of the manager. */
export interface ConsolesDeps {
  inventory: {
    instance(id: string): Pick<Instance, 'state' | 'host' | 'hostName'> | null;
  };
  link: {
    /** False when the message surely did not leave. */
    send(hostId: string, message: ManagerServiceMessage): boolean;
    connected(hostId: string): boolean;
  };
  /** Asks the agent for a console; rejects with a `WebvirtError`. */
  ask(hostId: string, what: 'console-open', args: Record<string, unknown>): Promise<unknown>;
  bus: Bus;
  log: { info(message: string, fields: Record<string, unknown>): unknown };
}

/** Whether a console is connected: `ended` null, or why it is not. */
export interface ConsoleState {
  host: string;
  hostName: string;
  ended: string | null;
  code?: string;
}

/** The way to one viewer. */
export interface ViewerWay {
  /** False while the viewer has not taken what was sent. */
  hasRoom(): boolean;
  /** `data` is base64. */
  data(data: string, skipped: number, bytes: number): void;
  state(state: ConsoleState): void;
}
