import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PublicKeyType } from '@peculiar/x509';
import { WebvirtError } from '../../common/errors.ts';
import { makeCertificate } from './certificate.ts';
import { newKeys, privateKeyOf, privatePem, x509 } from './keys.ts';

const DAY_MS = 86_400_000;
const CA_LIFE_MS = 3_650 * DAY_MS;
/** Certificates are not renewed yet: a short life would cut every host off. A revoked host is refused by its id at once. */
export const AGENT_LIFE_MS = 365 * DAY_MS;
const CA_NAME = 'WebVirt CA';

/** The manager's own certificate authority: signs the agents' certificates and its own. */
export interface Ca {
  /** PEM of its certificate. */
  cert: string;
  /** SHA-256 of the certificate's DER, hex: what enrolment tokens carry. */
  hash: string;
  /** Signs an agent's key; the id is its only name. PEM. */
  signAgent(id: string, publicKey: PublicKeyType, nowMs: number): Promise<string>;
  /** A fresh key with a certificate for the manager's own port, or for its links to the agents. */
  issue(
    purpose: 'manager-server' | 'manager-link',
    name: string,
    names: readonly string[],
    nowMs: number,
  ): Promise<KeyAndCert>;
}

export interface KeyAndCert {
  /** PEM. */
  key: string;
  cert: string;
}

/**
 * Reads the authority of a folder, or makes it at the first start (`ca.key` readable by its owner alone, `ca.pem`).
 * Throws `bad-config` when one of the two is missing or they do not belong together: a new one would cut off every agent.
 */
export async function openCa(folder: string, nowMs: number): Promise<Ca> {
  const paths = { key: join(folder, 'ca.key'), cert: join(folder, 'ca.pem') };
  const [hasKey, hasCert] = [existsSync(paths.key), existsSync(paths.cert)];
  if (!hasKey && !hasCert) await make(folder, nowMs);
  else if (!hasKey || !hasCert)
    throw new WebvirtError(
      'bad-config',
      `${hasKey ? paths.cert : paths.key} is missing. Put it back from a backup; without it no enrolled agent is reached. ` +
        `To start over with a new CA and enrol every agent again, remove ${folder}.`,
    );
  chmodSync(paths.key, 0o600);
  const pem = readFileSync(paths.key, 'utf8');
  const cert = readFileSync(paths.cert, 'utf8');
  mustBelongTogether(pem, cert, paths);
  const issuer = { name: CA_NAME, key: await privateKeyOf(pem) };

  return {
    cert,
    hash: caHash(cert),
    signAgent: (id, publicKey, signedMs) =>
      makeCertificate({
        purpose: 'agent',
        name: id,
        names: [id],
        publicKey,
        issuer,
        nowMs: signedMs,
        lifeMs: AGENT_LIFE_MS,
      }),
    async issue(purpose, name, names, issuedMs) {
      const keys = await newKeys();
      const order = { purpose, name, names, publicKey: keys.publicKey, issuer, nowMs: issuedMs, lifeMs: 365 * DAY_MS };
      return { key: await privatePem(keys), cert: await makeCertificate(order) };
    },
  };
}

/** SHA-256 of a certificate's DER form, hex. */
export function caHash(certPem: string): string {
  return createHash('sha256').update(new X509Certificate(certPem).raw).digest('hex');
}

async function make(folder: string, nowMs: number): Promise<void> {
  const keys = await newKeys();
  const cert = await makeCertificate({
    purpose: 'ca',
    name: CA_NAME,
    names: [],
    publicKey: keys.publicKey,
    issuer: { name: CA_NAME, key: keys.privateKey },
    nowMs,
    lifeMs: CA_LIFE_MS,
  });
  // A start that is cut short must not leave half an authority: both files come into being with one rename.
  const draft = `${folder}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
  mkdirSync(draft, { mode: 0o700 });
  writeWhole(join(draft, 'ca.key'), await privatePem(keys), 0o600);
  writeWhole(join(draft, 'ca.pem'), cert, 0o644);
  renameSync(draft, folder);
}

function mustBelongTogether(key: string, cert: string, paths: { key: string; cert: string }): void {
  try {
    const certificate = new X509Certificate(cert);
    if (
      certificate.ca &&
      new x509.X509Certificate(cert).subject === `CN=${CA_NAME}` &&
      certificate.checkPrivateKey(createPrivateKey(key))
    )
      return;
  } catch (error) {
    throw new WebvirtError('bad-config', `${paths.key} or ${paths.cert} cannot be read as PEM`, {}, { cause: error });
  }
  throw new WebvirtError('bad-config', `${paths.key} is not the key of ${paths.cert}`);
}

/** Writes a file that is there whole or not at all. */
export function writeWhole(path: string, text: string, mode: number): void {
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, text, { mode });
  chmodSync(draft, mode);
  renameSync(draft, path);
}
