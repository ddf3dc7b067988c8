import { parse, YAMLError } from 'yaml';
import type { z } from 'zod';
import { WebvirtError } from '../../errors.ts';
import { checkConfig, isMap } from './check.ts';
import { asObject, plainType } from './shape.ts';

export interface ConfigLayers {
  /** Text of the YAML file, or null when there is none. */
  text: string | null;
  /** Name of that file for messages. */
  file: string;
  /** The environment; only `config.ts` hands it in. */
  env: Readonly<Record<string, string | undefined>>;
  /** Start of the variables of this program, such as `WEBVIRT_` or `WEBVIRT_AGENT_`. */
  prefix: string;
}

/**
 * One configuration from its layers: defaults of the schema, then the file, then the environment. The variable of key
 * `http.bodyTimeout` is `<prefix>HTTP_BODY_TIMEOUT`; lists are cut at commas. Throws `bad-config` like `checkConfig`.
 */
export function layeredConfig<S extends z.ZodObject>(schema: S, layers: ConfigLayers): z.output<S> {
  const fromFile = layers.text === null ? {} : parseYaml(layers.text, layers.file);
  if (!isMap(fromFile)) return checkConfig(schema, fromFile, { file: layers.file });
  const origins = new Map<string, string>();
  const raw = overlay(schema, fromFile, layers, layers.prefix, '', origins);
  return checkConfig(schema, raw, { file: layers.file, origins });
}

/** Name of the variable that sets a key. */
export function variableName(prefix: string, key: string): string {
  return `${prefix}${key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase()}`;
}

function parseYaml(text: string, file: string): unknown {
  try {
    // Aliases are not needed in a configuration and can be made to grow without bound.
    return parse(text, { maxAliasCount: 0, uniqueKeys: true, prettyErrors: true }) ?? {};
  } catch (error) {
    const said =
      error instanceof YAMLError || error instanceof ReferenceError ? error.message.split('\n')[0] : 'unreadable';
    throw new WebvirtError('bad-config', `${file}: not valid YAML: ${said}`, {}, { cause: error });
  }
}

function overlay(
  schema: z.ZodObject,
  raw: Record<string, unknown>,
  layers: ConfigLayers,
  prefix: string,
  path: string,
  origins: Map<string, string>,
): Record<string, unknown> {
  const out: Record<string, unknown> = { ...raw };
  for (const [name, field] of Object.entries(schema.shape as Record<string, z.ZodType>)) {
    const variable = variableName(prefix, name);
    const section = asObject(field);
    const given = Object.hasOwn(raw, name) ? raw[name] : undefined;
    if (section !== null) {
      const filled = overlay(section, isMap(given) ? given : {}, layers, `${variable}_`, `${path}${name}.`, origins);
      if (isMap(given) || (given ?? null) === null) out[name] = filled;
      continue;
    }
    const text = layers.env[variable];
    if (text === undefined || text === '') continue;
    out[name] = fromText(field, text);
    origins.set(`${path}${name}`, variable);
  }
  return out;
}

/** A text of the environment as the value the file would have; what does not fit is left for the check to refuse. */
function fromText(field: z.ZodType, text: string): unknown {
  const type = plainType(field);
  if (type === 'list') return text.split(',').map((part) => part.trim());
  if (type === 'number') return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
  if (type === 'boolean')
    return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text;
  return text;
}
