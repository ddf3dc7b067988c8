import { z } from 'zod';
import { levelSchema, lineSchema, sourceSchema } from '../../../common/model/line.ts';
import { moment, wholeNumber } from '../query-values.ts';

export const LIMIT_PAGE_LINES = 5_000;

const filter = {
  q: z
    .string()
    .max(2_000)
    .optional()
    .describe('Words and "phrases", field:value, -not, /re2/. The same meaning here, live, and in rules.'),
  level: levelSchema.optional().describe('Least severe level that is answered.'),
  host: z.string().max(255).optional().describe('Id or name of a host.'),
  instance: z.string().max(64).optional(),
  source: sourceSchema.optional(),
  job: z.string().max(64).optional(),
  session: z.string().max(64).optional().describe('Id of a computation session.'),
  from: moment.optional().describe('Milliseconds since 1970 or ISO 8601; this moment included.'),
  to: moment.optional().describe('This moment excluded.'),
};

export const logQuery = z.object({
  ...filter,
  cursor: z.string().max(128).optional().describe('`next` of the page before.'),
  limit: wholeNumber({ min: 1, max: LIMIT_PAGE_LINES }).default(200),
});
const lost = { lines: z.number().int(), fromMs: z.number(), toMs: z.number() };
const unreadable = z
  .array(z.object(lost))
  .optional()
  .describe('Stored lines of these times that could have matched, but cannot be read any more.');

export const logAnswer = z.object({
  /** Newest first. */
  lines: z.array(lineSchema),
  next: z.string().nullable(),
  searchedBackToMs: z.number().nullable(),
  unreadable,
});

/** What stands beside counts that are a list. */
export const countsBeside = z.object({
  unreadable: unreadable.describe(
    'Stored lines of these times that could have matched, but cannot be read any more. What is counted by level alone has them in it still.',
  ),
});

export const histogramQuery = z.object({ ...filter, buckets: wholeNumber({ min: 1, max: 1_000 }).default(60) });
const count = z.number().int();
export const histogramAnswer = z.array(
  z.object({ fromMs: z.number(), counts: z.object({ error: count, warn: count, info: count, debug: count }) }),
);

const fieldName = z.string().min(1).max(64);

export const facetQuery = z.object({
  ...filter,
  field: z
    .union([fieldName, z.array(fieldName).max(16)])
    .describe('Such as level, host, source, unit, instance, or a name of a field. May be given up to 16 times.'),
  limit: wholeNumber({ min: 1, max: 1_000 }).default(20),
});
const facet = z.array(z.object({ value: z.string(), count }));
export const facetAnswer = z.union([facet, z.record(z.string(), facet)]);

export const countQuery = z.object(filter);
export const countAnswer = z.object({ count, ...countsBeside.shape });

/** What the store says of itself. */
export const storeAnswer = z.object({
  lines: count,
  bytesOnDisk: z.number(),
  oldestMs: z.number().nullable(),
  unsealedLines: count.optional().describe('Lines that are not in sealed files yet.'),
  unreadable: z
    .array(z.object({ file: z.string(), ...lost }))
    .optional()
    .describe('Files with lines that are known to be unreadable. Absent where the store has no files of its own.'),
  scrub: z
    .object({ passStartedMs: z.number(), lines: count, checkedLines: count, lastPassMs: z.number().nullable() })
    .optional()
    .describe(
      'How far the pass is in which all sealed lines are read again and compared with their checksums, and when the last one ended.',
    ),
});

export const lineParams = z.object({
  id: z.string().regex(/^[A-Za-z0-9_-]{1,64}\.[0-9a-f]{16}\.\d{1,15}$/, 'must be the id of a line'),
});
export const lineAnswer = lineSchema;

export const contextQuery = z.object({
  before: wholeNumber({ min: 0, max: 500 }).default(50),
  after: wholeNumber({ min: 0, max: 500 }).default(50),
  sameHost: z.enum(['true', 'false']).default('false').describe('Only lines of the same host.'),
});
export const contextAnswer = z.array(lineSchema);

export const exportQuery = z.object({
  ...filter,
  format: z.enum(['ndjson', 'csv', 'text']).default('ndjson'),
  limit: wholeNumber({ min: 1, max: 100_000_000 }).optional().describe('At most so many lines, from the oldest on.'),
});

/** A JSON array of lines, one line, or NDJSON text: what is wrong with one of them is said of that one. */
export const ingestBody = z
  .unknown()
  // Looked at line by line by its handler: a schema would go through millions of nothings first.
  .refine((body) => typeof body === 'string' || (typeof body === 'object' && body !== null), 'must be lines')
  .meta({ oneOf: [{ type: 'array', items: {} }, { type: 'object' }, { type: 'string' }] });
export const ingestAnswer = z.object({
  accepted: count,
  refusedCount: count,
  /** The first hundred of them. */
  refused: z.array(z.object({ index: count, reason: z.string() })),
});
