import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCa } from '../../manager/enrolment/ca.ts';
import { idOfKey, newKeys, privatePem } from '../../manager/enrolment/keys.ts';
import { LINK_NAME } from '../../manager/enrolment/own-certificates.ts';

/** An enrolled agent's key and certificate, PEM. `id` is made from the key. */
export interface AgentIdentity {
  id: string;
  key: string;
  cert: string;
  ca: string;
}

/** A CA of its own kind in a folder that is removed, with the manager's link certificate and as many agents as wanted. */
export async function createIdentities(): Promise<{
  link: { key: string; cert: string; ca: string };
  agent(): Promise<AgentIdentity>;
}> {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-ca-'));
  const ca = await openCa(join(dir, 'ca'), Date.now());
  rmSync(dir, { recursive: true });
  const link = await ca.issue('manager-link', LINK_NAME, [LINK_NAME], Date.now());
  return {
    link: { ...link, ca: ca.cert },
    async agent() {
      const keys = await newKeys();
      const id = idOfKey(new Uint8Array(await crypto.subtle.exportKey('spki', keys.publicKey)));
      const cert = await ca.signAgent(id, keys.publicKey, Date.now());
      return { id, key: await privatePem(keys), cert, ca: ca.cert };
    },
  };
}
