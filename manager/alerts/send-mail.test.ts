import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createMailCa, type MailServer, startMailServer } from '../../test/support/mail-server.ts';
import { DeliveryError } from './delivery-error.ts';
import { createSendMail, type SmtpConfig } from './send-mail.ts';

const DAY_MS = 86_400_000;
let ca: Awaited<ReturnType<typeof createMailCa>>;
let server: MailServer;
beforeAll(async () => {
  ca = await createMailCa();
});
afterEach(() => server?.stop());

/** Sends one mail there; answers null, or why not. */
async function send(over: Partial<SmtpConfig> = {}): Promise<DeliveryError | null> {
  const account = { user: 'webvirt', password: 'mail-secret', from: 'WebVirt <webvirt@example.org>' };
  const place = { host: '127.0.0.1', port: server.port, tls: 'starttls' as const, ca: ca.cert };
  const mail = createSendMail({ ...place, ...account, limitMs: 5_000, ...over });
  const words = { title: 'Disk', text: 'It is full.', ruleLabel: 'Rule', ruleUrl: 'https://x/', lineUrl: null };
  try {
    await mail({ id: 'd1', to: ['a@example.org'], words, tsMs: 0 });
    return null;
  } catch (error) {
    if (error instanceof DeliveryError) return error;
    throw error;
  }
}
const told = async (over: Partial<SmtpConfig> = {}) => {
  const fault = await send(over);
  return [fault?.message, fault?.isFinal];
};

describe('mail over STARTTLS', () => {
  it('is sent with the account, and only once the road is TLS and the certificate is right', async () => {
    server = await startMailServer({ ...(await ca.issue(['127.0.0.1'])) });
    expect(await send()).toBe(null);
    expect(server.mails).toMatchObject([{ from: 'webvirt@example.org', user: 'webvirt', isSecure: true }]);
  });

  it('is not sent where the certificate is of an unknown authority, and no password either: it says what to do', async () => {
    server = await startMailServer({ ...(await ca.issue(['127.0.0.1'])) });
    expect(await told({ ca: null })).toEqual([
      expect.stringMatching(
        new RegExp(`^The mail server 127.0.0.1:${server.port} could not be used: .*authority.*alerts.smtp.caFile`),
      ),
      false,
    ]);
    expect([server.mails, server.tries]).toEqual([[], []]);
  });

  it('is not sent where the certificate is for another name, or is over', async () => {
    server = await startMailServer({ ...(await ca.issue(['mail.example.org'])) });
    expect(await told()).toEqual([expect.stringMatching(/certificate is for another name.*alerts\.smtp\.host/), false]);
    await server.stop();
    server = await startMailServer({ ...(await ca.issue(['127.0.0.1'], Date.now() - 400 * DAY_MS)) });
    expect(await told()).toEqual([expect.stringMatching(/certificate has expired/), false]);
    expect([server.mails, server.tries]).toEqual([[], []]);
  });

  it('waits for the right password: a wrong one is mended in the configuration, and is in no word of it', async () => {
    server = await startMailServer({ ...(await ca.issue(['127.0.0.1'])) });
    const [message, isFinal] = await told({ password: 'wrong-secret' });
    expect(message).toMatch(/does not let us in .*535.*alerts\.smtp\.user and passwordFile/);
    expect(message).not.toContain('wrong-secret');
    expect([isFinal, server.mails, server.tries.at(-1)]).toEqual([false, [], 'wrong-secret']);
    // Nor when none is given where one is wanted.
    const [without, isOver] = await told({ user: null, password: null });
    expect([without, isOver]).toEqual([expect.stringMatching(/does not let us in .*530.*alerts\.smtp\.user/), false]);
    expect(await send()).toBe(null);
  });

  it('is never sent in the clear to a server that has no STARTTLS', async () => {
    server = await startMailServer({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'], allowInsecureAuth: true });
    expect(await told()).toEqual([expect.stringMatching(/does not speak STARTTLS .*alerts\.smtp\.tls: tls/), false]);
    expect([server.mails, server.tries]).toEqual([[], []]);
  });
});

describe('mail over TLS from the beginning', () => {
  it('is sent with the account', async () => {
    server = await startMailServer({ secure: true, ...(await ca.issue(['127.0.0.1'])) });
    expect(await send({ tls: 'tls' })).toBe(null);
    expect(server.mails).toMatchObject([{ user: 'webvirt', isSecure: true }]);
    expect(await told({ tls: 'tls', ca: null })).toEqual([expect.stringMatching(/authority.*caFile/), false]);
  });

  it('says so when the server does not begin with it, and when nobody is there', async () => {
    server = await startMailServer({ ...(await ca.issue(['127.0.0.1'])) });
    expect(await told({ tls: 'tls' })).toEqual([expect.stringMatching(/alerts\.smtp\.tls: starttls/), false]);
    await server.stop();
    expect(await told()).toEqual([expect.stringMatching(/nobody answers there.*ECONNREFUSED/), false]);
    server = await startMailServer({ ...(await ca.issue(['127.0.0.1'])) });
  });
});
