import { io, type Socket } from 'socket.io-client';
import { isErrorCode, WebvirtError } from '../../common/errors.ts';
import type { Envelope } from '../../common/wire/envelope.ts';
import type { ClientEvents, ServerEvents } from '../../common/wire/live.ts';
import type { CliConfig } from '../config.ts';

export type LiveSocket = Socket<ServerEvents, ClientEvents>;

/** Connects to the manager's live road. Rejects when the first try fails; later it reconnects by itself. */
export function connect(config: CliConfig): Promise<LiveSocket> {
  const socket: LiveSocket = io(config.url, {
    transports: ['websocket'],
    auth: { token: config.token ?? '' },
    ...(config.ca === null ? {} : { ca: config.ca }),
  });
  return new Promise((resolve, reject) => {
    socket.once('connect', () => {
      socket.off('connect_error');
      resolve(socket);
    });
    socket.once('connect_error', (error) => {
      socket.close();
      reject(
        new WebvirtError('host-unreachable', `The live stream of ${config.url} is not reached (${error.message}).`),
      );
    });
  });
}

/** Turns an acknowledgement into a promise of its data. */
export function answerOf<T>(send: (ack: (answer: Envelope<T>) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    send((answer) => {
      if (answer.err === null) resolve(answer.data);
      else reject(new WebvirtError(isErrorCode(answer.err) ? answer.err : 'internal', answer.message));
    });
  });
}
