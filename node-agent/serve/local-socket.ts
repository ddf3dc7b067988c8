import { chmodSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { z } from 'zod';
import { WebvirtError } from '../../common/errors.ts';
import { errorFields, type Logger } from '../../logging/logger.ts';
import { answerError, answerOk, readJson } from './answer.ts';
import type { AgentStatus } from './routes.ts';

const enrolBody = z.strictObject({ url: z.string().max(2_048), token: z.string().max(1_024) });

export interface LocalSocketDeps {
  status(): AgentStatus;
  enrol(url: string, token: string): Promise<void>;
  log: Logger;
}

/**
 * A unix socket in the data directory, for whoever may act for this host (it is readable by its owner alone):
 * `GET /status` and `POST /enrol {url, token}`, in the common envelope. What `webvirt agent` speaks with.
 */
export function createLocalSocket(config: { path: string }, deps: LocalSocketDeps) {
  const { log } = deps;
  const server = createServer((request, response) => void answer(request, response));
  server.requestTimeout = 30_000;
  let isOpen = false;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const call = `${request.method} ${request.url}`;
      if (call === 'GET /status') answerOk(response, 200, deps.status());
      else if (call === 'POST /enrol') {
        const body = enrolBody.safeParse(await readJson(request));
        if (!body.success) throw new WebvirtError('bad-request', 'Send {"url", "token"}.');
        await deps.enrol(body.data.url, body.data.token);
        answerOk(response, 200, deps.status());
      } else throw new WebvirtError('not-found');
    } catch (error) {
      answerError(response, error, (inner) => log.error('A local call failed inside', errorFields(inner)));
    }
  }

  return {
    /** Rejects when another agent has the socket. A path that the system does not take costs the socket only. */
    async start(): Promise<void> {
      if (await isLive(config.path))
        throw new WebvirtError('bad-config', `dataDir: another agent runs on this directory (${config.path})`);
      try {
        unlinkSync(config.path);
      } catch {
        // There is none, which is what is wanted; all else shows when it is opened.
      }
      await new Promise<void>((resolve) => {
        server.once('error', (error) => {
          log.warn('The local socket cannot be opened; enrol by a file instead', {
            path: config.path,
            ...errorFields(error),
          });
          resolve();
        });
        server.listen(config.path, () => {
          chmodSync(config.path, 0o600);
          isOpen = true;
          resolve();
        });
      });
    },
    async stop(): Promise<void> {
      if (!isOpen) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function isLive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}
