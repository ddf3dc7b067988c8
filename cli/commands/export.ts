import type { Writable } from 'node:stream';
import { streamTo } from '../net/stream.ts';
import type { CliCall } from './command.ts';

/** Exit code of an export that does not hold all lines: a script that archives must not take it for one that does. */
const NOT_WHOLE = 3;
const SUMMARY = /^(complete|cut|incomplete); lines=(\d+)(?:; unreadable=(\d+))?$/;

/** Writes an export. Says on stderr what is missing in it, and answers 0 only when nothing is. */
export async function exportTo(call: CliCall, path: string, out: Writable): Promise<number> {
  let trailers: NodeJS.Dict<string>;
  try {
    trailers = await streamTo(call.config, path, out, call.signal);
  } catch (error) {
    if (call.signal.aborted || !brokeOff(error)) throw error;
    call.note('The export broke off: what was written is not whole.');
    return NOT_WHOLE;
  }
  const [, word, lines, unreadable] = SUMMARY.exec(trailers['x-webvirt-export'] ?? '') ?? [];
  if (word === 'complete') return 0;
  if (word === undefined)
    call.note(
      'The manager did not say at the end that the export is whole (a proxy between may have taken it away): it may not be.',
    );
  if (word === 'cut') call.note(`The export was cut: the first ${lines} lines are written, and there are more.`);
  if (unreadable !== undefined)
    call.note(`${unreadable} lines that could belong to it cannot be read: the manager's disk lost them.`);
  return NOT_WHOLE;
}

/** The connection ended in the middle of the answer. */
function brokeOff(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
