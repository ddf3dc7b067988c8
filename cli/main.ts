import { parseArgs } from 'node:util';
import { isWebvirtError, WebvirtError } from '../common/errors.ts';
import { nearest } from '../common/pure/config/nearest.ts';
import { visibleText } from '../common/pure/visible-text.ts';
import { COMMANDS, COMMON_FLAGS } from './commands/all.ts';
import type { CliCommand } from './commands/command.ts';
import { readConfig } from './config.ts';
import { helpText } from './show/help.ts';

declare const __WEBVIRT_VERSION__: string | undefined;
const VERSION = typeof __WEBVIRT_VERSION__ === 'string' ? __WEBVIRT_VERSION__ : 'development';

function commandFor(word: string): CliCommand {
  const command = COMMANDS.find((candidate) => candidate.words.includes(word));
  if (command !== undefined) return command;
  const near = nearest(
    word,
    COMMANDS.flatMap((candidate) => candidate.words),
  );
  throw new WebvirtError(
    'bad-request',
    `There is no command "${word}"${near === null ? '' : `; did you mean "${near}"?`} See: webvirt --help`,
  );
}

async function main(argv: string[], signal: AbortSignal): Promise<number> {
  // The flags of all commands are known here only to tell their values from the command's word.
  const every = Object.assign({}, COMMON_FLAGS, ...COMMANDS.map((candidate) => candidate.flags ?? {}));
  const word = parseArgs({ args: argv, options: every, allowPositionals: true, strict: false }).positionals[0];
  const command = word === undefined ? null : commandFor(word);
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({
      args: argv,
      options: { ...COMMON_FLAGS, ...command?.flags },
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    throw new WebvirtError('bad-request', `${(error as Error).message.split('\n')[0]} See: webvirt --help`);
  }
  const flags = parsed.values as Record<string, string | boolean | undefined>;
  if (flags['version'] === true) {
    process.stdout.write(`webvirt ${VERSION}\n`);
    return 0;
  }
  if (command === null || flags['help'] === true) {
    process.stdout.write(helpText(command === null ? COMMANDS : [command], COMMON_FLAGS));
    return command === null && flags['help'] !== true ? 1 : 0;
  }
  return command.run({
    config: readConfig(flags as Record<string, string>),
    word: word!,
    args: parsed.positionals.slice(1),
    flags,
    json: flags['json'] === true,
    out: (text) => void process.stdout.write(`${text}\n`),
    note: (text) => void process.stderr.write(`${text}\n`),
    signal,
  });
}

const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort());
// A reader such as `head` that has seen enough ends us quietly.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

try {
  process.exitCode = await main(process.argv.slice(2), abort.signal);
} catch (error) {
  // A message may hold what another machine said.
  const text = isWebvirtError(error) ? error.message : String((error as Error).stack);
  process.stderr.write(`webvirt: ${visibleText(text, { keepNewlines: true })}\n`);
  process.exitCode = 1;
}
