import { z } from 'zod';

/** A whole number in an address, such as `limit=200`. */
export function wholeNumber(range: { min: number; max: number }) {
  return z
    .string()
    .regex(/^\d{1,16}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(range.min).max(range.max));
}

/** A time in an address: milliseconds since 1970, or ISO 8601 such as `2026-01-31T12:00:00Z`. */
export const moment = z
  .string()
  .max(40)
  .transform((text, context) => {
    const ms = /^-?\d{1,16}$/.test(text) ? Number(text) : /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
    if (Number.isFinite(ms)) return ms;
    context.addIssue({ code: 'custom', message: 'must be milliseconds since 1970 or an ISO 8601 time' });
    return z.NEVER;
  });

/** Several values in an address, separated by commas. */
export function commaList(item: z.ZodString, most: number) {
  return z
    .string()
    .transform((text) => [...new Set(text.split(',').filter((part) => part !== ''))])
    .pipe(z.array(item).max(most));
}
