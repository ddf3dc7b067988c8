import { createInterface } from 'node:readline';

/** True where a person can be asked. */
export const canAsk = () => process.stdin.isTTY === true && process.stderr.isTTY === true;

/** Asks on the terminal and resolves with the line; empty when the person ends the input, presses Ctrl-C, or `until` aborts. */
export function ask(question: string, until?: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    const end = (answer: string) => {
      until?.removeEventListener('abort', onAbort);
      // First: closing tells the end of the input as well.
      resolve(answer.trim());
      lines.close();
    };
    const onAbort = () => {
      process.stderr.write('\n');
      end('');
    };
    lines.on('SIGINT', onAbort);
    lines.on('close', () => resolve(''));
    until?.addEventListener('abort', onAbort);
    lines.question(question, end);
  });
}
