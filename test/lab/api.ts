import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import type { Envelope } from '../../common/wire/envelope.ts';
import type { LabConsole } from './console.ts';
import { LabError } from './run.ts';

/** A signed-in client of the console on a lab. */
export interface LabApi {
  /** One call. @throws LabError with what the manager said. */
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Waits on what is pushed of an address until it fits. @throws LabError when the time is over. */
  until<T>(uri: string, fits: (body: T) => boolean, limitMs?: number): Promise<T>;
}

const LIMIT_MS = 30_000;

/** Signs in with the token that the manager wrote into its data directory. */
export async function labApi({ url, dataDir }: Pick<LabConsole, 'url' | 'dataDir'>): Promise<LabApi> {
  const token = (await readFile(join(dataDir, 'local', 'admin.token'), 'utf8')).trim();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'close' };

  const call: LabApi['call'] = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = (await (await fetch(url + path, { method, headers, ...sent })).json()) as Envelope<T>;
    if (answer.err !== null) throw new LabError(`${method} ${path}: ${answer.err}: ${answer.message}`);
    return answer.data;
  };

  return {
    call,
    until<T>(uri: string, fits: (body: T) => boolean, limitMs = LIMIT_MS): Promise<T> {
      const socket = io(url, { transports: ['websocket'], auth: { token }, forceNew: true });
      return new Promise<T>((resolve, reject) => {
        const fail = (why: string) => reject(new LabError(`${uri} of the lab's console: ${why}`));
        const timer = setTimeout(() => fail(`not as expected within ${limitMs / 1000} s`), limitMs);
        // A change is a hint: what it is about is read whole.
        const look = () =>
          call<T>('GET', uri).then(
            (body) => {
              if (fits(body)) resolve(body);
            },
            (error: Error) => fail(error.message),
          );
        socket.on('connect_error', (error) => fail(error.message));
        socket.on('change', look);
        socket.on('connect', () => {
          socket.emit('subscribe', { uri }, look);
        });
        socket.on('disconnect', () => clearTimeout(timer));
      }).finally(() => socket.close());
    },
  };
}
