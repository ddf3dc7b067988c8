import type { ErrorCode } from '../../common/errors.ts';
import type { AgentInstance } from '../../common/model/instance.ts';

export interface Why {
  /** Null when it is a plain end and no error. */
  code: ErrorCode | null;
  reason: string;
}

/** There is nothing to open; told also where the definition says so before libvirt does. */
export const NO_PORT = "The instance has no serial console: its definition lacks <serial type='pty'/>.";
const HAS_CONSOLE = new Set(['running', 'paused', 'shutting-down']);

/** True for a state in which a guest has a console. */
export function hasConsole({ state }: Pick<AgentInstance, 'state'>): boolean {
  return HAS_CONSOLE.has(state);
}

/** Why a console ended or was not opened. `instance`: as libvirt tells it now; null when it is not here, undefined when unknown. */
export function whyEnded(said: string, instance: AgentInstance | null | undefined): Why {
  if (/Active console session exists|Device .* is locked/i.test(said))
    return { code: 'busy', reason: 'Somebody has this console open on the host, with virsh console or alike.' };
  if (instance === null) return { code: null, reason: 'The instance is not on this host any more.' };
  if (instance !== undefined && !hasConsole(instance))
    return { code: null, reason: `The instance is ${instance.state}.` };
  if (/cannot find character device|no console devices/i.test(said)) return { code: 'not-found', reason: NO_PORT };
  if (/not supported by the connection driver/i.test(said))
    return { code: 'wrong-state', reason: 'libvirt’s test driver has no consoles.' };
  if (/is not installed/.test(said))
    return { code: 'missing-program', reason: `${said} on this host; consoles need it.` };
  const words = said
    .split('\n')
    .filter((line) => /^error: /.test(line) && !/EOF on stdin/.test(line))
    .map((line) => line.slice('error: '.length).trim());
  if (words.length === 0 || /stream EOF|console stream|End of file/i.test(words.join(' ')))
    return { code: null, reason: 'libvirt closed the console.' };
  return { code: 'libvirt-failed', reason: words.join(' ').slice(0, 400) };
}
