/** The part of JSON Schema that the OpenAPI document uses. */
export interface Schema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  required?: string[];
  description?: string;
  default?: unknown;
  pattern?: string;
  format?: string;
  $ref?: string;
}

/** Text for a cell of a Markdown table; braces are kept from the template language by `{% raw %}` around the page. */
export const cell = (text: string) => text.replaceAll('|', '\\|').replace(/\s+/g, ' ').trim();

/** A type in a few words. */
export function words(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(' ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return [...new Set(choices.map(words))].join(' or ');
  if (schema.allOf !== undefined) return schema.allOf.map(words).join(' and ');
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1)!;
  if (schema.type === 'array') return `list of ${words(schema.items ?? {})}`;
  if (schema.type === 'object' || schema.properties !== undefined)
    return schema.properties === undefined ? 'map' : 'object';
  if (Array.isArray(schema.type)) return schema.type.join(' or ');
  return schema.type ?? 'anything';
}

/** The same with its article, for a sentence. */
export function aWords(schema: Schema): string {
  const text = words(schema);
  if (/^(list|map|string|number|boolean)/.test(text)) return `a ${text}`;
  return /^(object|integer)/.test(text) ? `an ${text}` : text;
}

/** Rows `| name | type | meaning |` of a schema, objects inside unfolded with dots, lists with `[]`. */
export function schemaRows(schema: Schema, prefix = '', depth = 0): string[] {
  const inner = schema.type === 'array' ? schema.items : nonNull(schema);
  if (schema.type === 'array' && inner !== undefined) return schemaRows(inner, `${prefix}[]`, depth);
  if (inner?.properties === undefined || depth > 3) return [];
  const dot = prefix === '' ? '' : `${prefix}.`;
  return Object.entries(inner.properties).flatMap(([name, field]) => {
    const must = inner.required?.includes(name) ? '' : ' (may be absent)';
    const row = `| \`${dot}${name}\` | ${cell(words(field))}${must} | ${cell(field.description ?? '')} |`;
    return [row, ...schemaRows(field, `${dot}${name}`, depth + 1)];
  });
}

function nonNull(schema: Schema): Schema | undefined {
  const choices = schema.anyOf ?? schema.oneOf;
  return choices === undefined ? schema : choices.find((choice) => choice.type !== 'null');
}

export const SCHEMA_HEAD = '| name | type | meaning |\n| --- | --- | --- |';
