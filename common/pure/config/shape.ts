import { z } from 'zod';
import { configTypes } from './quantity.ts';

/** One key of a configuration, as the reference page and the shipped file show it. */
export interface ConfigRow {
  /** Dotted path, such as `http.bodyTimeout`. */
  key: string;
  type: string;
  /** As one would write it in the file; undefined when the key may be absent or must be given. */
  default: unknown;
  required: boolean;
  description: string;
}

interface Peeled {
  inner: z.ZodType;
  fallback: unknown;
  optional: boolean;
  nullable: boolean;
  description: string;
}

/** The type under its wrappers, with what the wrappers said. */
function peel(schema: z.ZodType): Peeled {
  const peeled: Peeled = { inner: schema, fallback: undefined, optional: false, nullable: false, description: '' };
  for (;;) {
    const { inner } = peeled;
    peeled.description ||= inner.description ?? '';
    if (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
      peeled.fallback = inner.def.defaultValue;
    } else if (inner instanceof z.ZodOptional) {
      peeled.optional = true;
    } else if (inner instanceof z.ZodNullable) {
      peeled.nullable = true;
    } else {
      return peeled;
    }
    peeled.inner = inner.def.innerType as z.ZodType;
  }
}

/** The object type behind a schema, or null when it is not one. */
export function asObject(schema: z.ZodType | undefined): z.ZodObject | null {
  if (schema === undefined) return null;
  const { inner } = peel(schema);
  return inner instanceof z.ZodObject ? inner : null;
}

/** How a text of the environment must be read for this key. */
export function plainType(schema: z.ZodType): 'list' | 'number' | 'boolean' | 'text' {
  const { inner } = peel(schema);
  if (configTypes.get(inner) !== undefined) return 'text';
  if (inner instanceof z.ZodArray) return 'list';
  if (inner instanceof z.ZodNumber) return 'number';
  return inner instanceof z.ZodBoolean ? 'boolean' : 'text';
}

function typeWords(schema: z.ZodType): string {
  const { inner, nullable } = peel(schema);
  const words = configTypes.get(inner)?.type ?? zodWords(inner);
  return nullable ? `${words} or null` : words;
}

function zodWords(inner: z.ZodType): string {
  if (inner instanceof z.ZodEnum) return `one of ${inner.options.join(', ')}`;
  if (inner instanceof z.ZodArray) return `list of ${typeWords(inner.def.element as z.ZodType)}`;
  if (inner instanceof z.ZodRecord) return `map of ${typeWords(inner.def.valueType as z.ZodType)}`;
  if (inner instanceof z.ZodObject) return 'section';
  if (inner instanceof z.ZodUnion) return inner.options.map((option) => typeWords(option as z.ZodType)).join(' or ');
  if (inner instanceof z.ZodNumber) return inner.def.checks?.length && inner.isInt ? 'whole number' : 'number';
  if (inner instanceof z.ZodBoolean) return 'true or false';
  if (inner instanceof z.ZodPipe) return typeWords(inner.def.in as z.ZodType);
  if (inner instanceof z.ZodString) return 'text';
  return inner.def.type;
}

/** Every key of a configuration in the order of its schema, sections unfolded; a section has a row of its own too. */
export function describeConfig(schema: z.ZodObject, prefix = ''): ConfigRow[] {
  return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([name, field]) => {
    const { inner, fallback, optional, nullable, description } = peel(field);
    const key = `${prefix}${name}`;
    const section = inner instanceof z.ZodObject ? describeConfig(inner, `${key}.`) : [];
    const absentMay = optional || nullable || fallback !== undefined || inner instanceof z.ZodObject;
    const row: ConfigRow = {
      key,
      type: typeWords(field),
      default: fallback ?? (nullable ? null : undefined),
      required: !absentMay,
      description,
    };
    return [row, ...section];
  });
}
