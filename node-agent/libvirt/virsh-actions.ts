import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WebvirtError } from '../../common/errors.ts';
import type { AgentInstance } from '../../common/model/instance.ts';
import type { Connection } from './connection.ts';
import type { VirshChildren, VirshOutcome, VirshRunOptions } from './virsh-children.ts';
import { isUuid, mustWords } from './virsh-words.ts';

/** What commands need of libvirt. */
export interface VirshActions {
  /** Reads one instance now; null when there is none with this UUID. @throws {WebvirtError} libvirt-unavailable */
  observe(id: string): Promise<AgentInstance | null>;
  /**
   * Runs `virsh … words -- id` as a child with argv and waits for its end. Never rejects for what virsh does.
   * @throws {WebvirtError} bad-request for unknown words, ambiguous when another instance is named like this UUID.
   */
  run(words: readonly string[], id: string, options: VirshRunOptions): Promise<VirshOutcome>;
  /** Runs words that name no instance, as a child; null when libvirt did not say yes. @throws {WebvirtError} bad-request */
  readHost(words: readonly string[], options: { deadlineMs: number }): Promise<string | null>;
  /**
   * Defines the instance `id` by this XML, made by our own builder: virsh takes it from a file, for it opens no pipe.
   * @throws {WebvirtError} bad-request, or what keeps the file from being written.
   */
  define(id: string, xml: string, options: VirshRunOptions): Promise<VirshOutcome>;
}

export function createVirshActions(deps: {
  children: VirshChildren;
  connection(): Connection;
  uri(): string;
  driver(): string;
  /** Absolute folder for the files by which virsh is given XML; only we may write there. */
  xmlDir: string | undefined;
  /** Ends reads when the agent stops; operations are never ended by that. */
  closing: AbortSignal;
}): VirshActions {
  /** The test driver lives inside each virsh: only the shell that we read from can change what we show. */
  async function inShell(words: readonly string[], options: VirshRunOptions): Promise<VirshOutcome> {
    // virsh 9 watches a save in a way that never ends when the save is faster than virsh, as it is here.
    if (words[0] === 'managedsave')
      return { ended: 'exit', code: 1, signal: null, stdout: '', stderr: 'error: the test driver does not save' };
    try {
      const asked = deps.connection().ask(words, options.deadlineMs);
      options.onStart?.(null);
      const { stdout, stderr } = await asked;
      return { ended: 'exit', code: stderr === '' ? 0 : 1, signal: null, stdout, stderr };
    } catch (error) {
      return { ended: 'deadline', stdout: '', stderr: String(error) };
    }
  }

  return {
    async observe(id) {
      if (!isUuid(id)) throw new WebvirtError('bad-request', 'An instance is addressed by its UUID only.');
      return deps.connection().refresh(id, false);
    },
    async run(words, id, options) {
      if (!isUuid(id)) throw new WebvirtError('bad-request', 'An instance is addressed by its UUID only.');
      mustWords(words);
      // virsh would take the UUID for that name once the instance with the UUID is gone.
      if (deps.connection().inventory.idOf(id) !== undefined)
        throw new WebvirtError('ambiguous', 'Another instance of this host is named like this UUID; rename it first.', {
          id,
        });
      if (deps.driver() === 'none')
        return { ended: 'not-started', reason: 'missing-program', detail: 'virsh is not installed' };
      const argv = [...words, '--', id];
      if (deps.driver() === 'test') return inShell(argv, options);
      return deps.children.run(['-q', '-c', deps.uri(), ...argv], options);
    },
    async readHost(words, options) {
      mustWords(words);
      if (deps.driver() === 'none') return null;
      const signal = deps.closing;
      const outcome = await deps.children.run(['-q', '-c', deps.uri(), ...words], { ...options, signal });
      return outcome.ended === 'exit' && outcome.code === 0 ? outcome.stdout : null;
    },
    async define(id, xml, options) {
      if (!isUuid(id)) throw new WebvirtError('bad-request', 'An instance is addressed by its UUID only.');
      const words = mustWords(['define', '--']);
      if (deps.driver() !== 'qemu' || deps.xmlDir === undefined)
        return { ended: 'not-started', reason: 'missing-program', detail: 'this libvirt runs no guests' };
      const file = join(deps.xmlDir, `${id}.xml`);
      await mkdir(deps.xmlDir, { recursive: true, mode: 0o700 });
      await rm(file, { force: true });
      await writeFile(file, xml, { mode: 0o600, flag: 'wx' });
      try {
        return await deps.children.run(['-q', '-c', deps.uri(), ...words, file], options);
      } finally {
        await rm(file, { force: true });
      }
    },
  };
}
