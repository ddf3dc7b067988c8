import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnInNetns } from './enter.ts';
import type { LabNames } from './names.ts';
import { LabError } from './run.ts';

export interface Forward {
  /** The port on 127.0.0.1 of this machine. */
  readonly port: number;
  stop(): Promise<void>;
}

const CHILD = join(dirname(fileURLToPath(import.meta.url)), 'forward-child.mjs');

/**
 * Makes 127.0.0.1:`listenPort` of this machine reach 127.0.0.1:`port` inside the lab. A socket belongs to the namespace
 * it was made in, whoever holds it: we make it here and give it to a process in there. It ends with this process.
 * @param listenPort 0 takes a free one
 * @throws LabError when the port is in use.
 */
export async function forwardPort(names: LabNames, port: number, listenPort: number): Promise<Forward> {
  const server = createServer((socket) => socket.destroy());
  server.listen(listenPort, '127.0.0.1');
  await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
    throw new LabError(`cannot listen on 127.0.0.1:${listenPort}: ${cause.code}`, { cause });
  });
  const taken = (server.address() as AddressInfo).port;
  const child = spawnInNetns(names, names.netns, [process.execPath, CHILD, String(port)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    detached: true,
  });
  const ended = once(child, 'exit');
  const answer = async () => {
    const first = await Promise.race([once(child, 'message'), ended.then(() => null)]);
    if (!first) throw new LabError(`the forwarder of port ${taken} ended at once`);
  };
  try {
    await answer();
    child.send('take this', server);
    await answer();
  } finally {
    server.close();
  }
  return {
    port: taken,
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
