import type { Level } from '../../../common/model/line.ts';

const ERROR =
  /\b(?:error|fatal|fail(?:ed|ure|s)?|panic|abort(?:ed|ing)?|segfault|assertion|cannot|could not|unable to)\b|\bBUG:|\bOops\b/i;
const WARN = /\b(?:warn(?:ing)?|deprecated|tainted|terminating on signal|unsupported|timed? ?out)\b/i;
/** Pieces of the command line that libvirt writes down before it starts QEMU. */
const COMMAND_LINE = /^(?:-[a-z]|[A-Z_]+=|\/\S+ \\$)|\\$/;

/** Guesses the level of a text that has none. A guess for filters and colours, nothing is decided by it. */
export function guessLevelOfText(text: string): Level {
  if (ERROR.test(text)) return 'error';
  return WARN.test(text) ? 'warn' : 'info';
}

/** As `guessLevelOfText`, for QEMU's logs: the command lines in them are for those who look for them. */
export function guessLevel(text: string): Level {
  return COMMAND_LINE.test(text) ? 'debug' : guessLevelOfText(text);
}
