import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { ALERTS_DEFAULTS, createAlerts } from '../../manager/alerts/alerts.ts';
import type { DeliveryConfig } from '../../manager/alerts/deliveries.ts';
import { createLines, reader, temporaryFolder } from '../../manager/alerts/testing.ts';
import { createBus } from '../../manager/bus/bus.ts';
import { openStateStore } from '../../manager/store/sqlite/open.ts';

export interface Mail {
  to: string[];
  text: string;
  user: string | undefined;
}

export interface Hook {
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** A mail server and a receiver of hooks, real ones on loopback. */
export async function startReceivers() {
  const mails: Mail[] = [];
  const hooks: Hook[] = [];
  let status: (url: string) => number | Promise<number> = () => 204;
  const smtp = new SMTPServer({
    ...{ authOptional: false, hideSTARTTLS: true, allowInsecureAuth: true },
    onAuth: ({ username, password }, _session, done) =>
      password === 'mail-secret' ? done(null, { user: username }) : done(new Error('no')),
    onRcptTo: ({ address }, _session, done) =>
      address.startsWith('nobody') ? done(Object.assign(new Error('no such mailbox'), { responseCode: 550 })) : done(),
    onData(stream, session, done) {
      let text = '';
      stream.on('data', (chunk) => {
        text += chunk;
      });
      stream.on('end', () => {
        mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), text, user: session.user });
        done();
      });
    },
  });
  await new Promise<void>((done) => smtp.listen(0, '127.0.0.1', done));
  const server = createServer((request, answer) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', async () => {
      hooks.push({ url: request.url!, headers: request.headers as Record<string, string>, body });
      answer.writeHead(await status(request.url!)).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    mails,
    hooks,
    /** What the hooks answer from now on. */
    answer(next: (url: string) => number | Promise<number>) {
      status = next;
    },
    smtpPort: (smtp.server.address() as AddressInfo).port,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      await Promise.all([new Promise<void>((done) => smtp.close(done)), new Promise((done) => server.close(done))]);
    },
  };
}

export type Receivers = Awaited<ReturnType<typeof startReceivers>>;

/** Rules and deliveries that tell these receivers. */
export function startAlerts(receivers: Receivers, deliveries: DeliveryConfig) {
  const folder = temporaryFolder();
  const said: string[] = [];
  const state = openStateStore(join(folder.path, 'state.sqlite'));
  const bus = createBus((error) => {
    throw error;
  });
  const written = createLines(bus);
  written.commit([{ message: 'first' }], { nowMs: 1 });
  const log = (message: string, fields?: unknown) => void said.push(`${message} ${JSON.stringify(fields)}`);
  const account = { user: 'webvirt', password: 'mail-secret', from: 'WebVirt <webvirt@example.org>' };
  const open = (nowMs: () => number = Date.now) => {
    const made = createAlerts(
      {
        engine: { ...ALERTS_DEFAULTS.engine, tickMs: 10 },
        smtp: { host: '127.0.0.1', port: receivers.smtpPort, tls: 'none', ...account, limitMs: 20_000 },
        ...{ allow: ['127.0.0.1'], hookLimitMs: 20_000, deliveries },
      },
      {
        ...{ state, lines: written.lines, reader, bus, log: { debug: log, info: log, warn: log, error: log } },
        known: { hosts: () => [], instances: () => [] },
        troubles: () => 0,
        consoleUrl: () => 'https://console.example.org',
        nowMs,
      },
    );
    made.start();
    return made;
  };
  let alerts = open();
  return {
    get alerts() {
      return alerts;
    },
    written,
    said,
    /** Stops it and starts it anew on the same files, with another clock if one is given. */
    async restart(nowMs?: () => number) {
      await alerts.stop();
      alerts = open(nowMs);
    },
    async stop() {
      await alerts.stop();
      state.close();
      folder.remove();
    },
  };
}
