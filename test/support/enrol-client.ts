import { createHash, webcrypto } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import { proofOf } from '../../manager/enrolment/check-request.ts';
import { ALGORITHM, idOfKey, type Keys, newKeys, privatePem, x509 } from '../../manager/enrolment/keys.ts';

/** An agent as far as enrolment goes: a key, and the client's side of the protocol with every step to be bent. */
export interface EnrolClient {
  id: string;
  /** PEM. */
  key: string;
  csr(): Promise<string>;
}

export async function enrolClient(keys?: Keys): Promise<EnrolClient> {
  const mine = keys ?? (await newKeys());
  const spki = await webcrypto.subtle.exportKey('spki', mine.publicKey);
  return {
    id: idOfKey(spki),
    key: await privatePem(mine),
    csr: async () => {
      const csr = await x509.Pkcs10CertificateRequestGenerator.create({
        name: 'CN=agent',
        keys: mine,
        signingAlgorithm: ALGORITHM,
      });
      return csr.toString('pem');
    },
  };
}

export interface EnrolTry {
  token: string;
  client: EnrolClient;
  port?: number;
  csr?: string;
  /** Bends the exporter before the proof is made. */
  exporter?: (exporter: Buffer) => Buffer;
  secret?: string;
  tokenId?: string;
}

export interface EnrolOutcome {
  status: number;
  err: string | null;
  data: { cert: string; ca: string } | null;
}

/** Opens TLS, checks the CA's hash as an agent must, proves the secret and asks. Throws when the CA is another one. */
export async function tryEnrol(managerPort: number, wish: EnrolTry): Promise<EnrolOutcome> {
  const [, caHash, tokenId, secret] = wish.token.split('.') as [string, string, string, string];
  const socket = await open(managerPort);
  try {
    if (topHash(socket) !== caHash) throw new Error('another CA');
    const csr = wish.csr ?? (await wish.client.csr());
    const exporter = socket.exportKeyingMaterial(32, 'EXPORTER-webvirt-enrol', Buffer.alloc(0));
    const der = Buffer.from(csr.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    const mac = proofOf(wish.secret ?? secret, wish.exporter?.(exporter) ?? exporter, der);
    const body = { tokenId: wish.tokenId ?? tokenId, csr, mac, port: wish.port ?? 4601, name: 'test host' };
    return await post(socket, managerPort, body);
  } finally {
    socket.destroy();
  }
}

function open(port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, minVersion: 'TLSv1.3', rejectUnauthorized: false });
    socket.once('secureConnect', () => resolve(socket)).once('error', reject);
  });
}

function topHash(socket: TLSSocket): string {
  let certificate = socket.getPeerCertificate(true);
  while (certificate.issuerCertificate !== undefined && certificate.issuerCertificate !== certificate)
    certificate = certificate.issuerCertificate;
  return createHash('sha256').update(certificate.raw).digest('hex');
}

function post(socket: TLSSocket, port: number, body: unknown): Promise<EnrolOutcome> {
  const text = JSON.stringify(body);
  const head = `POST /enrol HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\nconnection: close\r\n`;
  socket.write(`${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  return new Promise((resolve, reject) => {
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.once('error', reject).once('end', () => {
      const status = Number(answer.split(' ')[1]);
      const json = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as Omit<EnrolOutcome, 'status'>;
      resolve({ status, err: json.err, data: json.data });
    });
  });
}
