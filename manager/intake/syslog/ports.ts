import type { OutsideDoor, OutsideSender, Way } from '../outside/ports.ts';
import type { IntakeLog } from '../ports.ts';
import type { AllowList } from './allow-list.ts';

export interface ListenerConfig {
  listen: string;
  /** 0: any free one. */
  port: number;
  maxMessageBytes: number;
}

export interface SyslogDeps {
  door: Pick<OutsideDoor, 'offer' | 'dropped' | 'refused' | 'pauseMs'>;
  isAllowed: AllowList;
  nowMs: () => number;
  log: IntakeLog;
}

export const NOT_ALLOWED = 'sent from an address that is not allowed';

/** All who may not send are counted as one: they must not crowd out those who may. */
export function stranger(way: Way): OutsideSender {
  return { way, id: 'not-allowed', name: 'addresses that are not allowed' };
}
