import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { openCa } from '../../manager/enrolment/ca.ts';

export interface MailServer {
  port: number;
  /** Senders, who signed in, whether it was over TLS, and the text. */
  mails: { from: string; user: string | undefined; isSecure: boolean; text: string }[];
  /** How often somebody tried to sign in, and with what password. */
  tries: string[];
  stop(): Promise<void>;
}

/** An authority of the test's own, and certificates that it signed for these names. */
export async function createMailCa() {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-mail-ca-'));
  const ca = await openCa(join(dir, 'ca'), Date.now());
  rmSync(dir, { recursive: true });
  return {
    cert: ca.cert,
    issue: (names: string[], issuedMs = Date.now()) => ca.issue('manager-server', 'mail', names, issuedMs),
  };
}

/** A real mail server on loopback where `webvirt` signs in with `mail-secret`, and nobody over a road in the clear. */
export async function startMailServer(options: SMTPServerOptions): Promise<MailServer> {
  const mails: MailServer['mails'] = [];
  const tries: string[] = [];
  const smtp = new SMTPServer({
    onAuth({ username, password }, _session, done) {
      tries.push(password ?? '');
      if (username === 'webvirt' && password === 'mail-secret') done(null, { user: username });
      else done(Object.assign(new Error('wrong name or password'), { responseCode: 535 }));
    },
    onData(stream, session, done) {
      let text = '';
      stream.on('data', (chunk) => {
        text += chunk;
      });
      stream.on('end', () => {
        const { mailFrom } = session.envelope;
        const from = mailFrom === false ? '' : mailFrom.address;
        mails.push({ from, user: session.user, isSecure: session.secure, text });
        done();
      });
    },
    ...options,
  });
  // Who gives up on a certificate ends the connection: no fault of the server.
  smtp.on('error', () => undefined);
  await new Promise<void>((done) => smtp.listen(0, '127.0.0.1', done));
  return {
    ...{ mails, tries, port: (smtp.server.address() as AddressInfo).port },
    stop: () => new Promise((done) => smtp.close(done)),
  };
}
