import type { Way } from '../outside/ports.ts';
import { createAllowList } from './allow-list.ts';
import type { SyslogDeps } from './ports.ts';
import { createTcpListener } from './tcp.ts';
import { createUdpListener } from './udp.ts';

export interface SyslogConfig {
  /** Null: off. */
  udpPort: number | null;
  tcpPort: number | null;
  listen: string;
  allow: readonly string[];
  maxConnections: number;
  maxPerAddress: number;
  maxMessageBytes: number;
  idleMs: number;
}

/** The listeners of syslog that are on. `start` rejects when a port cannot be opened. */
export function createSyslog(config: SyslogConfig, deps: Omit<SyslogDeps, 'isAllowed'>) {
  const shared = { ...deps, isAllowed: createAllowList(config.allow) };
  const udp = config.udpPort === null ? null : createUdpListener({ ...config, port: config.udpPort }, shared);
  const tcp = config.tcpPort === null ? null : createTcpListener({ ...config, port: config.tcpPort }, shared);
  return {
    async start(): Promise<void> {
      await udp?.start();
      await tcp?.start();
    },
    /** Where a way listens; null: it is off. */
    listens(way: Way): string | null {
      return (way === 'syslog-udp' ? udp?.address() : way === 'syslog-tcp' ? tcp?.address() : null) ?? null;
    },
    async stop(): Promise<void> {
      await Promise.all([udp?.stop(), tcp?.stop()]);
    },
  };
}
