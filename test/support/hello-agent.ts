import { createHash, webcrypto } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { loadX509 } from '../../common/pure/x509/load.ts';

const x509 = await loadX509();
x509.cryptoProvider.set(webcrypto as never);
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export interface FakeIdentity {
  id: string;
  key: string;
  /** PEM. Self-signed, or signed by a CA with the id as its name. */
  cert: string;
}

/** A fresh key with the certificate an agent would show before (`signed: false`) or after it was enrolled. */
export async function fakeIdentity({ signed = false } = {}): Promise<FakeIdentity> {
  const keys = await newKeys();
  const spki = Buffer.from(await webcrypto.subtle.exportKey('spki', keys.publicKey));
  const id = createHash('sha256').update(spki).digest('hex').slice(0, 32);
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const signer = signed ? await newKeys() : keys;
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: '01',
    subject: `CN=${id}`,
    issuer: signed ? 'CN=Some CA' : `CN=${id}`,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 86_400_000),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: id }])],
  });
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`;
  return { id, key, cert: cert.toString('pem') };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}

export interface FakeAgent {
  port: number;
  stop(): Promise<void>;
}

/** Serves on an address; `answer` gets the socket after its first request. */
export async function fakeAgent(
  identity: Pick<FakeIdentity, 'key' | 'cert'>,
  answer: (socket: TLSSocket) => void,
  { host = '127.0.0.1', port = 0, maxVersion = 'TLSv1.3' as const } = {},
): Promise<FakeAgent> {
  const server: Server = createServer({ ...identity, maxVersion }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => answer(socket));
  });
  server.on('tlsClientError', () => {});
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** Writes one HTTP answer and hangs up. */
export function reply(socket: TLSSocket, status: number, body: unknown, headers = ''): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  socket.end(`HTTP/1.1 ${status} X\r\ncontent-length: ${Buffer.byteLength(text)}\r\n${headers}\r\n${text}`);
}

/** What an unenrolled agent says. */
export function helloOf(id: string, more: Record<string, unknown> = {}): unknown {
  return {
    err: null,
    data: { product: 'webvirt-agent', version: '0.1.0', id, state: 'unenrolled', name: 'host-1', ...more },
  };
}
