/**
 * Finds the answer to one command in what an interactive virsh printed. After each command we send
 * `echo --err MARK` and `echo MARK`. virsh with readline repeats what it reads (`virsh # list`), without it does not.
 * The mark holds a nonce of this process, so nothing that a guest is called can look like one.
 */
export interface ShellAnswer {
  stdout: string;
  stderr: string;
}

const PROMPTS = ['virsh # ', 'virsh > '];

/** The text to send for one command. */
export function question(command: string, mark: string): string {
  return `${command}\necho --err ${mark}\necho ${mark}\n`;
}

/** The answer, or null while it is not complete yet. */
export function cutAnswer(stdout: string, stderr: string, command: string, mark: string): ShellAnswer | null {
  const end = endOf(stdout, mark);
  const errorEnd = stderr.indexOf(`error: ${mark}`);
  if (end < 0 || errorEnd < 0) return null;
  let text = stdout.slice(0, end);
  for (const prompt of PROMPTS) {
    const echoed = `${prompt}echo --err ${mark}\n${prompt}echo ${mark}\n`;
    if (text.endsWith(echoed)) text = text.slice(0, -echoed.length);
    else if (text.endsWith(prompt + prompt)) text = text.slice(0, -2 * prompt.length);
  }
  for (const prompt of PROMPTS) if (text.startsWith(prompt)) text = text.slice(prompt.length);
  if (text.startsWith(`${command}\n`)) text = text.slice(command.length + 1);
  return { stdout: text, stderr: stderr.slice(0, errorEnd).trim() };
}

/** Where virsh itself printed the mark, not where it repeated our question. */
function endOf(text: string, mark: string): number {
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + mark.length)) {
    const before = text.slice(Math.max(0, at - 6), at);
    const repeated = before.endsWith('echo ') || before.endsWith('--err ');
    if (!repeated) return at;
  }
  return -1;
}
