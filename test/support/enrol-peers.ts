import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { Ca } from '../../manager/enrolment/ca.ts';
import { checkRequest } from '../../manager/enrolment/check-request.ts';

export const SECRET = 's'.repeat(27);
export const TOKEN_ID = '0123456789abcdef';

/** How the answer of an enrolling manager is bent. */
export interface Bend {
  /** Whose key the answer certifies. */
  answerKey?: Parameters<Ca['signAgent']>[1];
  answerCa?: Ca;
  /** Another body of a 200. */
  text?: string;
}

/** A port to enrol at; `url` is its address. */
export interface EnrolPeer {
  url: string;
  server: Server;
}

/** A manager that checks requests with the real check and one token of `SECRET`. */
export async function enrollingManager(ca: Ca, bend: Bend = {}): Promise<EnrolPeer & { refusals: string[] }> {
  const { key, cert } = await ca.issue('manager-server', 'localhost', ['127.0.0.1'], Date.now());
  const refusals: string[] = [];
  const token = { id: TOKEN_ID, secret: SECRET, agent: null, createdBy: '', createdMs: 0, usedMs: null, usedBy: null };
  const server = createServer({ key, cert: cert + ca.cert }, async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    const body = JSON.parse(text) as { csr: string; mac: string };
    const label = 'EXPORTER-webvirt-enrol';
    const exporter = (request.socket as TLSSocket).exportKeyingMaterial(32, label, Buffer.alloc(0));
    const checked = await checkRequest({ ...token, expiresMs: Date.now() + 1e5 }, body, exporter, Date.now());
    if (!checked.ok) {
      refusals.push(checked.refusal);
      response.statusCode = 401;
      response.end(JSON.stringify({ err: 'bad-token', message: 'no', data: null }));
    } else if (bend.text !== undefined) response.end(bend.text);
    else {
      const signer = bend.answerCa ?? ca;
      const signed = await signer.signAgent(checked.id, bend.answerKey ?? checked.publicKey, Date.now());
      response.end(JSON.stringify({ err: null, data: { cert: signed, ca: signer.cert } }));
    }
  });
  return { ...(await opened(server)), refusals };
}

/** A port that only listens: counts what it is sent inside TLS. */
export async function listeningPeer(pair: { key: string; cert: string }, chain: string) {
  const heard = { bytes: 0 };
  const server = createTlsServer({ key: pair.key, cert: pair.cert + chain, minVersion: 'TLSv1.3' }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (part) => {
      heard.bytes += part.length;
    });
  });
  return { ...(await opened(server)), heard };
}

async function opened(server: Server): Promise<EnrolPeer> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
