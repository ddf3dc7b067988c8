import { z } from 'zod';
import { LEVELS } from '../../common/model/words.ts';
import { configTypes, duration } from '../../common/pure/config/quantity.ts';
import { re2Engine } from '../../common/pure/query/re2-engine.ts';

const pattern = z
  .string()
  .max(1_024)
  .regex(/^\/[^\0]*$/, 'must be an absolute path; * and ? stand for parts of a name, ** for folders')
  .refine((path) => !path.split('/').includes('..'), 'must not contain ..');

const rule = z.strictObject({
  path: pattern,
  exclude: z.array(z.string().max(255)).max(64).default([]),
  unit: z.string().min(1).max(128).default('{name}'),
  level: z.enum(LEVELS).optional(),
  start: z.string().max(1_000).refine(isRe2, 'is no RE2 pattern').optional(),
  startWait: duration({ min: '50ms', max: '1m' }).prefault('1s'),
  fields: z.record(z.string().max(128), z.string().max(1_024)).default({}),
  links: z.boolean().default(false),
});

function isRe2(source: string): boolean {
  try {
    re2Engine(source, { ignoreCase: false, at: 0 });
    return true;
  } catch {
    return false;
  }
}

/** One entry of `sources.files`: a pattern, or a map with the pattern as `path` and how its lines are read. */
export function fileRule() {
  const schema = z
    .union([z.string(), z.record(z.string(), z.unknown())])
    .transform((value, context): z.output<typeof rule> => {
      const parsed = rule.safeParse(typeof value === 'string' ? { path: value } : value);
      if (parsed.success) return parsed.data;
      const words = parsed.error.issues.map((issue) =>
        issue.code === 'unrecognized_keys'
          ? `there is no key ${issue.keys.join(', ')}; there are ${Object.keys(rule.shape).join(', ')}`
          : `${issue.path.map(String).join('.')}: ${issue.message}`,
      );
      context.issues.push({ code: 'custom', input: value, message: words.join('; ') });
      return z.NEVER;
    });
  configTypes.add(schema, {
    type: 'path pattern, or map with path, exclude, unit, level, start, startWait, fields, links',
  });
  return schema;
}
