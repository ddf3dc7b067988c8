import { chmodSync, existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { WebvirtError } from '../../common/errors.ts';
import { makeFolder } from '../../logging/make-folder.ts';
import { certificateFault, derHash } from './certificates.ts';
import { idOfKey, newKeyPem, selfSigned } from './keys.ts';
import { writeWhole } from './whole-file.ts';

/** The record that makes an enrolment: it is written last and names the files it belongs to by their hashes. */
const enrolmentSchema = z.object({
  url: z.string(),
  enrolledMs: z.number(),
  caHash: z.string(),
  certHash: z.string(),
});
export type Enrolment = z.infer<typeof enrolmentSchema>;

/** What an agent is: its key, and after enrolment the certificate and CA of its manager. */
export interface Identity {
  readonly id: string;
  readonly keyPem: string;
  /** Null before enrolment. */
  enrolment(): Enrolment | null;
  /** What the port shows and whom it trusts: before enrolment its own certificate and nobody. PEM. */
  tls(): { key: string; cert: string; ca: string | null };
  /** Makes the agent enrolled; a kill at any moment leaves it either whole or not enrolled. */
  enrolled(url: string, cert: string, ca: string): void;
  /** Calls back after `enrolled`. Returns the unsubscribe function. */
  onEnrolled(handler: () => void): () => void;
}

/**
 * Reads the identity of a folder, or makes it at the first start. An enrolment whose files are missing or altered is set
 * aside: the agent is then unenrolled. Throws `bad-config` when the key is there and cannot be read: a new key would be
 * a new host.
 */
export async function openIdentity(config: { folder: string; now(): number }): Promise<Identity> {
  const { folder, now } = config;
  makeFolder(folder);
  const path = (name: string) => join(folder, name);
  if (!existsSync(path('key.pem'))) writeWhole(path('key.pem'), await newKeyPem(), 0o600);
  chmodSync(path('key.pem'), 0o600);
  const keyPem = readFileSync(path('key.pem'), 'utf8');
  const id = mustId(keyPem, path('key.pem'));
  if (!isOwn(path('self.pem'), keyPem)) writeWhole(path('self.pem'), await selfSigned(keyPem, now()), 0o644);
  const self = readFileSync(path('self.pem'), 'utf8');
  const handlers = new Set<() => void>();
  let current = load();

  function load(): { enrolment: Enrolment; cert: string; ca: string } | null {
    if (!existsSync(path('enrolment.json'))) return null;
    try {
      const enrolment = enrolmentSchema.parse(JSON.parse(readFileSync(path('enrolment.json'), 'utf8')));
      const [cert, ca] = [readFileSync(path('cert.pem'), 'utf8'), readFileSync(path('ca.pem'), 'utf8')];
      const whole = derHash(cert) === enrolment.certHash && derHash(ca) === enrolment.caHash;
      if (whole && certificateFault({ cert, ca, keyPem, id }) === null) return { enrolment, cert, ca };
    } catch {
      // Unreadable is the same as not whole.
    }
    renameSync(path('enrolment.json'), path('enrolment.json.damaged'));
    return null;
  }

  return {
    id,
    keyPem,
    enrolment: () => current?.enrolment ?? null,
    tls: () =>
      current === null ? { key: keyPem, cert: self, ca: null } : { key: keyPem, cert: current.cert, ca: current.ca },
    enrolled(url, cert, ca) {
      const enrolment = { url, enrolledMs: now(), caHash: derHash(ca), certHash: derHash(cert) };
      writeWhole(path('ca.pem'), ca, 0o644);
      writeWhole(path('cert.pem'), cert, 0o644);
      writeWhole(path('enrolment.json'), `${JSON.stringify(enrolment, null, 2)}\n`, 0o600);
      current = { enrolment, cert, ca };
      for (const handler of [...handlers]) handler();
    },
    onEnrolled(handler) {
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
  };
}

function mustId(keyPem: string, path: string): string {
  try {
    return idOfKey(keyPem);
  } catch (error) {
    const what = `dataDir: ${path} is not a private key; put it back, or remove its folder to become a new host`;
    throw new WebvirtError('bad-config', what, {}, { cause: error });
  }
}

function isOwn(path: string, keyPem: string): boolean {
  try {
    return certificateFault({ cert: readFileSync(path, 'utf8'), ca: null, keyPem, id: idOfKey(keyPem) }) === null;
  } catch {
    return false;
  }
}
