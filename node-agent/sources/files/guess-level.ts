import type { Level } from '../../../common/model/line.ts';

const ERROR =
  /\b(?:error|fatal|fail(?:ed|ure|s)?|panic|abort(?:ed|ing)?|segfault|assertion|cannot|could not|unable to)\b/i;
const WARN = /\b(?:warn(?:ing)?|deprecated|tainted|terminating on signal|unsupported|timed? ?out)\b/i;
/** Pieces of the command line that libvirt writes down before it starts QEMU. */
const COMMAND_LINE = /^(?:-[a-z]|[A-Z_]+=|\/\S+ \\$)|\\$/;

/** Guesses the level of a line that has none. A guess for filters and colours, nothing is decided by it. */
export function guessLevel(text: string): Level {
  if (COMMAND_LINE.test(text)) return 'debug';
  if (ERROR.test(text)) return 'error';
  return WARN.test(text) ? 'warn' : 'info';
}
