interface Flag {
  type: string;
  short?: string;
  describe: string;
}
interface Shown {
  usage: string;
  summary: string;
  flags?: Record<string, Flag>;
}

const flagLine = ([name, flag]: [string, Flag]) =>
  `      ${`${flag.short === undefined ? '    ' : `-${flag.short}, `}--${name}${flag.type === 'string' ? ' …' : ''}`.padEnd(20)} ${flag.describe}`;

/** The help of the given commands, then the flags that all of them take. */
export function helpText(commands: readonly Shown[], common: Record<string, Flag>): string {
  const parts = commands.map((command) =>
    [`  ${command.usage}`, `      ${command.summary}`, ...Object.entries(command.flags ?? {}).map(flagLine)].join('\n'),
  );
  return `webvirt: see every log of every host, act, and watch it happen\n\n${parts.join('\n\n')}\n\n  with every command\n${Object.entries(common).map(flagLine).join('\n')}\n`;
}
