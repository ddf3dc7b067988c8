import { isTooDeep } from '../../../common/pure/outside/fields.ts';

type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A plain value of an OTLP AnyValue as JSON encodes it: 64-bit integers are text, bytes are base64. Numbers that JavaScript
 * cannot hold stay text. Undefined for what is none.
 */
export function plainValue(value: unknown): unknown {
  return isTooDeep(value) ? undefined : plain(value);
}

function plain(value: unknown): unknown {
  if (!isObject(value)) return undefined;
  if (typeof value['stringValue'] === 'string') return value['stringValue'];
  if (typeof value['boolValue'] === 'boolean') return value['boolValue'];
  if (value['intValue'] !== undefined) return integerOf(value['intValue']);
  if (value['doubleValue'] !== undefined) return value['doubleValue'];
  if (typeof value['bytesValue'] === 'string') return value['bytesValue'];
  if (isObject(value['arrayValue'])) {
    const { values } = value['arrayValue'];
    return Array.isArray(values) ? values.map((one) => plain(one) ?? null) : [];
  }
  if (isObject(value['kvlistValue'])) {
    const out: Json = {};
    for (const [key, inner] of pairs(value['kvlistValue']['values'], plain))
      Object.defineProperty(out, key, { value: inner, enumerable: true, configurable: true, writable: true });
    return out;
  }
  return undefined;
}

function integerOf(value: unknown): unknown {
  const number = typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number') return undefined;
  return Number.isSafeInteger(number) ? number : String(value);
}

/** The pairs of a list of KeyValue; what is no pair is left out. */
export function pairs(list: unknown, read: (value: unknown) => unknown = plainValue): [string, unknown][] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((pair: unknown): [string, unknown][] => {
    if (!isObject(pair) || typeof pair['key'] !== 'string' || pair['key'] === '') return [];
    const value = read(pair['value']);
    return value === undefined ? [] : [[pair['key'], value]];
  });
}
