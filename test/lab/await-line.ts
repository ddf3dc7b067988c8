import { readFileSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { LabError } from './run.ts';

/**
 * Waits until a line of a growing text file matches, told by the kernel when it grows. The file may not exist yet;
 * its folder must. Lines that are there already count.
 * @returns the first matching line
 * @throws LabError after `timeoutMs`, with the last line that was there.
 */
export function awaitLine(path: string, pattern: RegExp, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const end = (finish: () => void) => {
      watcher.close();
      clearTimeout(timer);
      finish();
    };
    const look = () => {
      let text = '';
      try {
        text = readFileSync(path, 'utf8');
      } catch {
        return;
      }
      // What stands after the last line end is still being written.
      const lines = text.split(/\r?\n/).slice(0, -1);
      const found = lines.find((line) => pattern.test(line));
      if (found !== undefined) end(() => resolve(found));
      else last = lines.at(-1) ?? '';
    };
    let last = '';
    const watcher = watch(dirname(path), (_, file) => {
      if (file === basename(path)) look();
    });
    const timer = setTimeout(() => {
      end(() =>
        reject(new LabError(`no line like ${pattern} in ${path} within ${timeoutMs / 1000} s; the last: ${last}`)),
      );
    }, timeoutMs);
    look();
  });
}
