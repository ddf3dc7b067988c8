import { z } from 'zod';

const DURATION_UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_UNITS: Record<string, number> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

/** Milliseconds of a text such as `250ms`, `15s`, `1.5h`, `1h30m`, `0s`. Throws a RangeError that says what is expected. */
export function parseDuration(text: string): number {
  const total = sum(text, DURATION_UNITS, /(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)/y);
  if (total === null) throw new RangeError('write a time with its unit (ms, s, m, h, d), such as 15s or 1h30m');
  return Math.round(total);
}

/** Bytes of a text such as `512B`, `64MiB`, `1.5GiB`, `10MB`. Throws a RangeError that says what is expected. */
export function parseSize(text: string): number {
  const match = /^(\d{1,15}(?:\.\d{1,6})?) ?(B|[KMGT]iB|kB|[MGT]B)$/.exec(text.trim());
  const factor = match === null ? undefined : SIZE_UNITS[match[2]!];
  const bytes = match === null || factor === undefined ? Number.NaN : Math.round(Number(match[1]) * factor);
  if (!Number.isSafeInteger(bytes)) {
    throw new RangeError('write a size with its unit (B, KiB, MiB, GiB, kB, MB, GB), such as 64MiB');
  }
  return bytes;
}

function sum(text: string, units: Record<string, number>, part: RegExp): number | null {
  const clean = text.trim();
  let total = 0;
  part.lastIndex = 0;
  while (part.lastIndex < clean.length) {
    const match = part.exec(clean);
    if (match === null) return null;
    total += Number(match[1]) * units[match[2]!]!;
  }
  return clean === '' || !Number.isSafeInteger(Math.round(total)) ? null : total;
}

/** Words for the type of a key in the reference, where the zod type alone would not tell. */
export const configTypes = z.registry<{ type: string }>();

function quantity(type: string, parse: (text: string) => number, limits: { min?: string; max?: string }) {
  const schema = z.union([z.string(), z.number()]).transform((value, context): number => {
    const refuse = (message: string) => {
      context.issues.push({ code: 'custom', input: value, message });
      return z.NEVER;
    };
    try {
      // A bare number is taken through the same road so that it is refused with the words that tell what to write.
      const parsed = parse(String(value));
      if (limits.min !== undefined && parsed < parse(limits.min)) return refuse(`must be at least ${limits.min}`);
      if (limits.max !== undefined && parsed > parse(limits.max)) return refuse(`must be at most ${limits.max}`);
      return parsed;
    } catch (error) {
      return refuse((error as Error).message);
    }
  });
  configTypes.add(schema, { type });
  return schema;
}

/** A key that holds a time as text; read as milliseconds. Give its default with `.prefault('15s')`. */
export function duration(limits: { min?: string; max?: string } = {}) {
  return quantity('duration', parseDuration, limits);
}

/** A key that holds a size as text; read as bytes. Give its default with `.prefault('64MiB')`. */
export function size(limits: { min?: string; max?: string } = {}) {
  return quantity('size', parseSize, limits);
}
