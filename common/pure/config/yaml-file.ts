import { stringify } from 'yaml';
import type { z } from 'zod';
import { describeConfig } from './shape.ts';

/**
 * The defaults file of a configuration, made from its schema: every key with its description as a comment and its default
 * as the value; a key without a default is written commented out. A test keeps `conf/*.yaml` equal to it.
 */
export function defaultsFile(schema: z.ZodObject, heading: string): string {
  const lines = heading.split('\n').map((line) => `# ${line}`.trimEnd());
  for (const row of describeConfig(schema)) {
    const depth = row.key.split('.').length - 1;
    const indent = '  '.repeat(depth);
    const name = row.key.split('.').at(-1);
    if (depth === 0) lines.push('');
    for (const line of wrap(row.description, 110 - indent.length)) lines.push(`${indent}# ${line}`);
    if (row.type === 'section') {
      lines.push(`${indent}${name}:`);
    } else if (row.default === undefined) {
      lines.push(`${indent}# ${name}:`);
    } else {
      const value = stringify(row.default, { collectionStyle: 'flow', lineWidth: 0, singleQuote: true }).trim();
      lines.push(`${indent}${name}: ${value}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && line.length + word.length + 1 > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}
