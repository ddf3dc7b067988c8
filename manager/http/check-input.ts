import type { z } from 'zod';
import { WebvirtError } from '../../common/errors.ts';

/** The checked value, or `bad-request` that names the path of the first thing that is wrong, such as `body.action`. */
export function checkInput(schema: z.ZodType | undefined, value: unknown, where: 'params' | 'query' | 'body'): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  if (value === undefined) throw new WebvirtError('bad-request', 'This call needs a JSON body.', { path: where });
  const path = [where, ...issue.path.map(String)].join('.');
  throw new WebvirtError('bad-request', `${path}: ${issue.message}`, { path });
}
