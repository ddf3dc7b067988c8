import { z } from 'zod';
import { trimEndOf } from '../trim-end.ts';
import { configTypes } from './quantity.ts';

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** A key that holds absolute folders by name: a map in the file, `name=/path,other=/path` in the environment. */
export function namedPaths() {
  const schema = z
    .union([z.string(), z.record(z.string(), z.string())])
    .transform((value, context): Readonly<Record<string, string>> => {
      const refuse = (message: string) => {
        context.issues.push({ code: 'custom', input: value, message });
        return z.NEVER;
      };
      const pairs = typeof value === 'string' ? cut(value) : Object.entries(value);
      const paths = new Map<string, string>();
      for (const [name, path] of pairs) {
        if (!NAME.test(name))
          return refuse('write names of small letters, digits, . _ and -, such as default=/srv/images');
        if (!path.startsWith('/') || path.includes('\0') || path.split('/').includes('..'))
          return refuse(`the folder of ${name} must be an absolute path without ..`);
        if (paths.has(name)) return refuse(`${name} is given twice`);
        paths.set(name, path.length > 1 ? trimEndOf(path, '/') || '/' : path);
      }
      return Object.fromEntries(paths);
    });
  configTypes.add(schema, { type: 'map of name to absolute path' });
  return schema;
}

function cut(text: string): [name: string, path: string][] {
  const parts = text.split(',').map((part) => part.trim());
  return parts
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf('=');
      return at < 0 ? [part, ''] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
    });
}
