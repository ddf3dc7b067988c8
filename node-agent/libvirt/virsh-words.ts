import { WebvirtError } from '../../common/errors.ts';

/**
 * Everything that may ever be said to virsh, besides UUIDs. A closed list: what is not in it does not reach virsh's
 * own parser, which splits one string at `;` without any shell and reads leading dashes as options.
 */
const WORDS: ReadonlySet<string> = new Set([
  'autostart',
  'capabilities',
  'destroy',
  'dominfo',
  'domjobabort',
  'domstate',
  'domstats',
  'dumpxml',
  'list',
  'managedsave',
  'reboot',
  'reset',
  'resume',
  'shutdown',
  'start',
  'suspend',
  'version',
  '--all',
  '--autostart',
  '--block',
  '--disable',
  '--interface',
  '--list-running',
  '--name',
  '--nowait',
  '--persistent',
  '--reason',
  '--state',
  '--uuid',
  '--with-managed-save',
  '--',
]);
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
    if (!WORDS.has(word) && !isUuid(word))
      throw new WebvirtError('bad-request', 'This word is not sent to virsh: only known words and UUIDs are.', {
        word: word.slice(0, 80),
      });
  }
  return words;
}
