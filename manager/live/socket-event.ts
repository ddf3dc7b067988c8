import type { Server, Socket } from 'socket.io';
import type { z } from 'zod';
import type { Principal } from '../../common/model/access.ts';
import type { ClientEvents, ServerEvents } from '../../common/wire/live.ts';
import type { Route } from '../http/route.ts';
import type { Outbox } from './outbox.ts';

export interface SocketData {
  principal: Principal;
}
type NoEvents = Record<string, never>;
export type LiveServer = Server<ClientEvents, ServerEvents, NoEvents, SocketData>;
export type LiveSocket = Socket<ClientEvents, ServerEvents, NoEvents, SocketData>;

/** One connected client, as the handlers of events see it. */
export interface Client {
  readonly id: string;
  readonly principal: Principal;
  readonly outbox: Outbox;
  emit: LiveSocket['emit'];
  /** False once it has gone; what arrives later must be thrown away. */
  readonly connected: boolean;
  /** Called once when it goes. */
  onGone(callback: () => void): void;
}

/**
 * One event that clients may send. To add one: its signature in `common/wire/live.ts`, a `defineEvent` where it belongs,
 * and the table handed to `createLive`. Nothing but what the schema accepts reaches `handle`.
 */
export interface SocketEvent {
  name: keyof ClientEvents;
  access: Route['access'];
  body: z.ZodType;
  /** What it returns is the data of the answer. `behind` runs right behind the answer, in the same step. */
  handle(body: unknown, client: Client): Handled | Promise<Handled>;
}

export interface Handled {
  /** Called in the step in which the answer leaves. */
  data: () => unknown;
  behind?: () => void;
}

/** Types an event's handler from its schema. */
export function defineEvent<B extends z.ZodType>(
  event: Omit<SocketEvent, 'body' | 'handle'> & {
    body: B;
    handle(body: z.output<B>, client: Client): Handled | Promise<Handled>;
  },
): SocketEvent {
  return event as unknown as SocketEvent;
}
