import type { WebvirtError } from '../../common/errors.ts';
import type { ManagerServiceMessage } from '../../common/wire/services.ts';
import type { Bus } from '../bus/bus.ts';
import { CONSOLES_DEFAULTS, createConsoles } from './consoles.ts';
import type { ConsolesConfig } from './ports.ts';

export const INSTANCE = 'c0000000-0000-4000-8000-000000000001';

/** Consoles over two pretended hosts whose agents do what a test says. */
export function consolesWorld(bus: Bus, config: Partial<ConsolesConfig> = {}) {
  const place: { state: 'running' | 'shutoff'; host: string; hostName: string; there: boolean } = {
    ...{ state: 'running', host: 'h1', hostName: 'lab-h1', there: true },
  };
  const up = new Set(['h1', 'h2']);
  const asked: { host: string; id: string; args: Record<string, unknown> }[] = [];
  const sent: { host: string; message: ManagerServiceMessage }[] = [];
  const audits: { message: string; fields: Record<string, unknown> }[] = [];
  let refusal: WebvirtError | null = null;
  const consoles = createConsoles(
    { ...CONSOLES_DEFAULTS, firstRetryMs: 5, longestRetryMs: 20, ...config },
    {
      inventory: { instance: (id) => (id === INSTANCE && place.there ? place : null) },
      link: {
        connected: (host) => up.has(host),
        send(host, message) {
          sent.push({ host, message });
          return up.has(host);
        },
      },
      async ask(host, _what, args) {
        asked.push({ host, id: String(args['id']), args });
        if (refusal !== null) throw refusal;
        return {};
      },
      bus,
      log: { info: (message, fields) => void audits.push({ message, fields }) },
    },
  );
  const newest = () => asked.at(-1)!;
  return {
    ...{ consoles, place, up, asked, sent, audits, newest },
    refuse(error: WebvirtError | null) {
      refusal = error;
    },
    /** The agent sends what the guest said. */
    say(text: string | Buffer, skipped?: number) {
      const { host, id } = newest();
      const data = Buffer.from(text).toString('base64');
      const more = skipped === undefined ? {} : { skipped };
      consoles.hostService.take(host, { t: 'console-data', id, data, ...more });
    },
    end(reason: string, code?: string) {
      const { host, id } = newest();
      consoles.hostService.take(host, { t: 'console-end', id, reason, ...(code === undefined ? {} : { code }) });
    },
    changed: () => bus.emit('instance', { id: INSTANCE, host: place.host }),
    keys: () => sent.flatMap(({ message }) => (message.t === 'console-input' ? [message.data] : [])).join(''),
    closed: () => sent.filter(({ message }) => message.t === 'console-close').length,
  };
}
export type ConsolesWorld = ReturnType<typeof consolesWorld>;
