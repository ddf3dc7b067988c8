import type { CliConfig } from '../config.ts';

/**
 * One word of the command line. To add one: a file here that exports a `CliCommand`, its row in `commands/all.ts`, its
 * paragraph in docs-site/userguide.
 */
export interface CliCommand {
  /** The first word, or several that mean the same family. */
  words: readonly string[];
  usage: string;
  summary: string;
  /** Flags besides the common ones; `short` is one letter. */
  flags?: Record<string, { type: 'string' | 'boolean'; short?: string; describe: string }>;
  /** Resolves with the exit code: 0 done, 1 failed, 3 done in part (an export that is not whole). Throws WebvirtError for what the user can mend. */
  run(call: CliCall): Promise<number>;
}

export interface CliCall {
  config: CliConfig;
  word: string;
  args: string[];
  flags: Record<string, string | boolean | undefined>;
  json: boolean;
  out(text: string): void;
  note(text: string): void;
  /** Aborts at Ctrl-C. */
  signal: AbortSignal;
}
