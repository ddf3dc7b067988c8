import { WebvirtError } from '../../common/errors.ts';
import { peerUri } from '../../common/pure/migration/peer-uri.ts';

/**
 * Everything that may ever be said to virsh, besides UUIDs. A closed list: what is not in it does not reach virsh's
 * own parser, which splits one string at `;` without any shell and reads leading dashes as options.
 */
const WORDS: ReadonlySet<string> = new Set([
  'autostart',
  'capabilities',
  'define',
  'destroy',
  'domcapabilities',
  'dominfo',
  'domjobabort',
  'domjobinfo',
  'domstate',
  'domstats',
  'dumpxml',
  'list',
  'managedsave',
  'migrate',
  'migrate-setmaxdowntime',
  'net-list',
  'pool-dumpxml',
  'pool-list',
  'reboot',
  'reset',
  'resume',
  'shutdown',
  'start',
  'suspend',
  'undefine',
  'version',
  '--all',
  '--abort-on-error',
  '--autostart',
  '--block',
  '--checkpoints-metadata',
  '--completed',
  '--copy-storage-all',
  '--disable',
  '--inactive',
  '--interface',
  '--keep-completed',
  '--keep-nvram',
  '--list-running',
  '--live',
  '--managed-save',
  '--name',
  '--nowait',
  '--nvram',
  '--offline',
  '--p2p',
  '--persistent',
  '--rawstats',
  '--reason',
  '--snapshots-metadata',
  '--state',
  '--tunnelled',
  '--undefinesource',
  '--uuid',
  '--with-managed-save',
  '--',
]);
/** Options with a value, each of one strict form. The URI of another libvirt is put together anew from checked parts. */
const VALUES: readonly ((word: string) => boolean)[] = [
  (word) => /^--(?:downtime|bandwidth)=[1-9]\d{0,8}$/.test(word),
  (word) => /^--virttype=(?:kvm|qemu)$/.test(word),
  (word) => /^--arch=[a-z0-9_]{1,32}$/.test(word),
  (word) => /^--machine=[a-z0-9][a-z0-9._-]{0,63}$/.test(word),
  (word) => word.startsWith('--desturi=') && peerUri(word.slice(10)) === word.slice(10),
];
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** True for a UUID in the one form that libvirt prints. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/**
 * Passes words through when each is a word of the list or a UUID.
 * @throws {WebvirtError} bad-request, before anything is sent.
 */
export function mustWords(words: readonly string[]): readonly string[] {
  if (words.length === 0) throw new WebvirtError('bad-request', 'An empty command is not sent to virsh.');
  for (const word of words) {
    if (!WORDS.has(word) && !isUuid(word) && !VALUES.some((fits) => fits(word)))
      throw new WebvirtError('bad-request', 'This word is not sent to virsh: only known words and UUIDs are.', {
        word: word.slice(0, 80),
      });
  }
  return words;
}
