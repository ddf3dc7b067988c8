import type { z } from 'zod';
import { WebvirtError } from '../../errors.ts';
import { nearest } from './nearest.ts';
import { asObject, describeConfig } from './shape.ts';

export interface ConfigOrigin {
  /** Name of the file the values came from, for the message. */
  file: string;
  /** Keys that came from somewhere else, such as an environment variable: dotted path → its name. */
  origins?: ReadonlyMap<string, string>;
}

interface Problem {
  key: string;
  what: string;
}

/**
 * Checks the raw values of a configuration and returns it typed, completed with the schema's defaults and frozen to the
 * last leaf. Throws `bad-config` that names the file or variable, each wrong key with its path, what is wrong with it and,
 * for a key that does not exist, the nearest one that does.
 */
export function checkConfig<S extends z.ZodObject>(schema: S, raw: unknown, origin: ConfigOrigin): z.output<S> {
  const given = raw ?? {};
  if (!isMap(given)) throw new WebvirtError('bad-config', `${origin.file}: must be a map of keys to values`);
  const unknown = unknownKeys(schema, given, '', schema);
  const parsed = schema.safeParse(withSections(schema, given));
  const problems = [...unknown];
  for (const issue of parsed.error?.issues ?? []) {
    if (issue.code === 'unrecognized_keys') continue;
    problems.push({ key: issue.path.map(String).join('.'), what: issue.message });
  }
  if (problems.length > 0) throw badConfig(problems, origin);
  return deepFreeze(parsed.data) as z.output<S>;
}

function badConfig(problems: Problem[], { file, origins }: ConfigOrigin): WebvirtError {
  const words = problems.map(({ key, what }) => `${origins?.get(key) ?? file}: ${key === '' ? '' : `${key}: `}${what}`);
  return new WebvirtError('bad-config', words.join('; '), { keys: problems.map((problem) => problem.key) });
}

function unknownKeys(schema: z.ZodObject, raw: Record<string, unknown>, prefix: string, whole: z.ZodObject): Problem[] {
  const shape = schema.shape as Record<string, z.ZodType>;
  return Object.keys(raw).flatMap((name): Problem[] => {
    const key = `${prefix}${name}`;
    if (!Object.hasOwn(shape, name)) return [{ key, what: `there is no such key${suggestion(name, shape, whole)}` }];
    const section = asObject(shape[name]);
    const value = raw[name];
    return section !== null && isMap(value) ? unknownKeys(section, value, `${key}.`, whole) : [];
  });
}

/** A sibling that is spelled alike, or else a key of this name that stands elsewhere in the file. */
function suggestion(name: string, shape: Record<string, z.ZodType>, whole: z.ZodObject): string {
  const paths = describeConfig(whole).map((row) => row.key);
  const found =
    nearest(name, Object.keys(shape)) ??
    paths.find((path) => path.split('.').at(-1)?.toLowerCase() === name.toLowerCase()) ??
    nearest(name, paths);
  return found === null ? '' : `; did you mean ${found}?`;
}

/** The values with an empty map for each absent section, so that the defaults inside it apply. */
function withSections(schema: z.ZodObject, raw: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = { ...raw };
  for (const [name, field] of Object.entries(schema.shape as Record<string, z.ZodType>)) {
    const section = asObject(field);
    const value = Object.hasOwn(raw, name) ? raw[name] : undefined;
    if (section !== null && (value === undefined || value === null)) out[name] = withSections(section, {});
    else if (section !== null && isMap(value)) out[name] = withSections(section, value);
  }
  return out;
}

/** A plain map, as YAML and JSON make them. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
