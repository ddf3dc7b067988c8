import { WebvirtError } from '../../../common/errors.ts';
import type { Way } from '../outside/ports.ts';
import { createAllowList } from './allow-list.ts';
import type { SyslogDeps } from './ports.ts';
import { createTcpListener, type SyslogTls } from './tcp.ts';
import { createUdpListener } from './udp.ts';

export interface SyslogConfig {
  /** Null: off. */
  udpPort: number | null;
  tcpPort: number | null;
  tlsPort: number | null;
  listen: string;
  allow: readonly string[];
  maxConnections: number;
  maxPerAddress: number;
  maxMessageBytes: number;
  idleMs: number;
}

/** The listeners of syslog that are on. `start` rejects when a port cannot be opened. */
export function createSyslog(config: SyslogConfig, deps: Omit<SyslogDeps, 'isAllowed'> & { tls: () => SyslogTls }) {
  const { tls: certificate, ...others } = deps;
  const shared = { ...others, isAllowed: createAllowList(config.allow) };
  const udp = config.udpPort === null ? null : createUdpListener({ ...config, port: config.udpPort }, shared);
  const tcp = config.tcpPort === null ? null : createTcpListener({ ...config, port: config.tcpPort }, shared);
  const secure =
    config.tlsPort === null ? null : createTcpListener({ ...config, port: config.tlsPort }, shared, certificate());
  return {
    async start(): Promise<void> {
      await udp?.start().catch((error: unknown) => explain('udpPort', config.udpPort, config.listen, error));
      await tcp?.start().catch((error: unknown) => explain('tcpPort', config.tcpPort, config.listen, error));
      await secure?.start().catch((error: unknown) => explain('tlsPort', config.tlsPort, config.listen, error));
    },
    /** Where a way listens; null: it is off. */
    listens(way: Way): string | null {
      const listener = {
        'syslog-udp': udp,
        'syslog-tcp': tcp,
        'syslog-tls': secure,
        http: null,
        otlp: null,
        loki: null,
      }[way];
      return listener?.address() ?? null;
    },
    async stop(): Promise<void> {
      await Promise.all([udp?.stop(), tcp?.stop(), secure?.stop()]);
    },
  };
}

const WHY: Record<string, string> = {
  EADDRINUSE: 'another program has it',
  EACCES: 'ports below 1024 need a right of their own (CAP_NET_BIND_SERVICE)',
  EADDRNOTAVAIL: 'intake.syslog.listen is no address of this machine',
};

/** Throws `bad-config`: a start that fails for this port is not to be taken for one that fails for another. */
function explain(key: string, port: number | null, listen: string, error: unknown): never {
  const code = String((error as NodeJS.ErrnoException).code);
  const why = WHY[code] ?? String(error);
  throw new WebvirtError('bad-config', `intake.syslog.${key}: port ${port} of ${listen} cannot be opened: ${why}`);
}
