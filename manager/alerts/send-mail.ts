import { rootCertificates } from 'node:tls';
import nodemailer from 'nodemailer';
import { DeliveryError } from './delivery-error.ts';
import { mailFault } from './mail-fault.ts';
import type { NoticeWords } from './notice-text.ts';

export interface SmtpConfig {
  /** Null: no e-mail can be sent. */
  host: string | null;
  port: number;
  tls: 'starttls' | 'tls' | 'none';
  user: string | null;
  password: string | null;
  /** PEM of the authority that signed its certificate, besides those that are known to Node; absent or null: those alone. */
  ca?: string | null;
  from: string;
  limitMs: number;
}

export type SendMail = (mail: {
  id: string;
  to: readonly string[];
  words: NoticeWords;
  /** When it happened. */
  tsMs: number;
}) => Promise<void>;

/** Sends by SMTP. Rejects with a DeliveryError: final when the server says that it never will take it. */
export function createSendMail(config: SmtpConfig): SendMail {
  const { host, port, tls, user, password, ca, from, limitMs } = config;
  const timeouts = {
    connectionTimeout: limitMs,
    greetingTimeout: limitMs,
    socketTimeout: limitMs,
    dnsTimeout: limitMs,
  };
  const domain = /@([\w.-]+)/.exec(from)?.[1] ?? 'webvirt.invalid';
  return async ({ id, to, words, tsMs }) => {
    if (host === null)
      throw new DeliveryError('No mail server is configured: alerts.smtp.host of the manager.', { isFinal: true });
    const transport = nodemailer.createTransport({
      ...{ host, port, ...timeouts, disableFileAccess: true, disableUrlAccess: true },
      secure: tls === 'tls',
      // Without it a man in the middle could take STARTTLS away.
      requireTLS: tls === 'starttls',
      ignoreTLS: tls === 'none',
      tls: { rejectUnauthorized: true, ...(ca == null ? {} : { ca: [...rootCertificates, ca] }) },
      ...(user === null ? {} : { auth: { user, pass: password ?? '' } }),
    });
    const links = [
      `${words.ruleLabel}: ${words.ruleUrl}`,
      ...(words.lineUrl === null ? [] : [`Line: ${words.lineUrl}`]),
    ];
    try {
      await transport.sendMail({
        ...{ from, to: [...to], subject: words.title, text: `${words.text}\n\n${links.join('\n')}\n` },
        date: new Date(tsMs),
        // The same at every try: a second copy of one message can be told by it.
        messageId: `<${id}@${domain}>`,
        headers: { 'WebVirt-Delivery': id, 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      });
    } catch (error) {
      throw mailFault(error, { host, port });
    } finally {
      transport.close();
    }
  };
}
