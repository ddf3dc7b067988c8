import type { ErrorCode } from '../../common/errors.ts';

export interface VirshFault {
  code: ErrorCode;
  /** What happened and what to try, for a person. */
  message: string;
  /** True when the command may have had an effect all the same. */
  maybe: boolean;
}

/** What libvirt says, and what it means to someone who pressed a button. The first that fits counts. */
const KNOWN: readonly { pattern: RegExp; code: ErrorCode; hint: string; maybe?: boolean }[] = [
  {
    pattern: /failed to get domain|Domain not found|no domain with matching/i,
    code: 'not-found',
    hint: 'The instance is not on this host any more.',
  },
  {
    pattern: /failed to connect to the hypervisor|Failed to connect socket/i,
    code: 'libvirt-unavailable',
    hint: 'The libvirt daemon of this host was not reachable; nothing was done. Look at the service libvirtd or virtqemud.',
  },
  {
    pattern: /client socket is closed|End of file while reading|Disconnected from|keepalive/i,
    code: 'timeout',
    hint: 'The libvirt daemon went away in the middle; the outcome is unknown.',
    maybe: true,
  },
  {
    pattern: /cannot acquire state change lock|another .*job/i,
    code: 'busy',
    hint: 'Something else holds this instance in libvirt (a save, a migration, a backup). Wait for it, or see domjobinfo.',
  },
  {
    pattern: /Failed to (?:get|lock) .*(?:"write"|write|lock)|Failed to acquire lock|resource busy/i,
    code: 'libvirt-failed',
    hint: 'A disk is in use, perhaps by the same instance on another host. Do not force it: find who has it.',
  },
  {
    pattern: /Cannot access storage file|No such file or directory/i,
    code: 'libvirt-failed',
    hint: 'A disk or another file of the instance is missing: is its storage mounted?',
  },
  {
    pattern: /Cannot allocate memory|cannot set up guest memory/i,
    code: 'libvirt-failed',
    hint: 'The host has not enough free memory for it.',
  },
  {
    pattern: /Cannot get interface|network .* is not active|Network not found|no network with matching/i,
    code: 'libvirt-failed',
    hint: 'A bridge or network that it needs is missing or not started.',
  },
  {
    pattern: /not running|is already active|already running|domain is not|requested operation is not valid/i,
    code: 'wrong-state',
    hint: 'Its state changed in the meantime; look again and repeat.',
  },
  {
    pattern: /authentication|access denied|Permission denied/i,
    code: 'libvirt-failed',
    hint: 'libvirt refused the rights.',
  },
];

/** Reads virsh's errors. `stderr` may hold several lines; it is cut, never parsed further. */
export function virshFault(stderr: string): VirshFault {
  const said = stderr
    .split('\n')
    .map((line) => line.replace(/^error: /, '').trim())
    .filter((line) => line !== '')
    // The first line often only repeats the command and the UUID; the last says why.
    .slice(-3)
    .join(' · ')
    .slice(0, 1_024);
  const known = KNOWN.find(({ pattern }) => pattern.test(stderr));
  if (known === undefined)
    return { code: 'libvirt-failed', message: said === '' ? 'virsh failed without a word.' : said, maybe: false };
  return { code: known.code, message: `${known.hint} libvirt says: ${said}`, maybe: known.maybe === true };
}
