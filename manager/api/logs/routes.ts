import { WebvirtError } from '../../../common/errors.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import type { LineStore } from '../../store/ports.ts';
import { type HttpSender, handOn, type LineDoor } from '../intake/door.ts';
import { exportLines } from './export.ts';
import { filterOf } from './filter.ts';
import { readOutsideLines } from './outside-lines.ts';
import {
  contextAnswer,
  contextQuery,
  countAnswer,
  countQuery,
  countsBeside,
  exportQuery,
  facetAnswer,
  facetQuery,
  histogramAnswer,
  histogramQuery,
  ingestAnswer,
  ingestBody,
  lineAnswer,
  lineParams,
  logAnswer,
  logQuery,
  storeAnswer,
} from './schema.ts';
import { createUnreadable } from './unreadable.ts';

export interface LogDeps {
  lines: Omit<LineStore, 'append' | 'cursors' | 'hashAt'>;
  /** Where lines from outside go. */
  door: LineDoor;
  nowMs: () => number;
}

const HISTOGRAM_LAST_MS = 15 * 60_000;

/** The stored lines, and lines from outside. */
export function logRoutes({ lines, door, nowMs }: LogDeps): Route[] {
  const read = { method: 'GET', access: 'member', errors: ['bad-query', 'store-unavailable'] } as const;
  return [
    defineRoute({
      ...read,
      path: '/api/v1/logs',
      summary: 'Search lines',
      purpose:
        'Searches the stored lines of all hosts, newest first, a page at a time. searchedBackToMs says how far back the answer looked: a page that is not full has not always reached the end while next is there.',
      query: logQuery,
      answer: logAnswer,
      handle: ({ query, signal }) =>
        lines.query(filterOf(query), {
          ...{ limit: query.limit, signal },
          ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
        }),
    }),
    defineRoute({
      ...read,
      path: '/api/v1/logs/count',
      summary: 'Count lines',
      purpose: 'Counts the lines of a filter.',
      query: countQuery,
      answer: countAnswer,
      async handle({ query, signal }) {
        const unreadable = createUnreadable();
        const count = await lines.count(filterOf(query), signal, unreadable.note);
        return { count, ...unreadable.fields() };
      },
    }),
    defineRoute({
      ...read,
      path: '/api/v1/logs/histogram',
      summary: 'Count lines over time',
      purpose:
        'Counts the lines of a filter by level in equal steps of time; the last 15 minutes when no range is given. Beside `data` stands `unreadable` where lines that could have matched cannot be read.',
      query: histogramQuery,
      answer: histogramAnswer,
      beside: countsBeside,
      async handle({ query, signal, beside }) {
        const toMs = query.to ?? nowMs();
        const fromMs = query.from ?? toMs - HISTOGRAM_LAST_MS;
        const unreadable = createUnreadable();
        const range = { fromMs, toMs, buckets: query.buckets };
        const found = await lines.histogram(filterOf(query), range, signal, unreadable.note);
        beside?.(unreadable.fields());
        return found;
      },
    }),
    defineRoute({
      ...read,
      path: '/api/v1/logs/facets',
      summary: 'Count lines by a field',
      purpose:
        'Names the most frequent values of a field among the lines of a filter, with their counts. With several `field=` the answer is an object of such lists by the name of the field. Beside `data` stands `unreadable` where lines that could have matched cannot be read.',
      query: facetQuery,
      answer: facetAnswer,
      beside: countsBeside,
      async handle({ query, signal, beside }) {
        const filter = filterOf(query);
        const unreadable = createUnreadable();
        const fields = typeof query.field === 'string' ? [query.field] : query.field;
        const found: [string, { value: string; count: number }[]][] = [];
        // One after another: a call of one person takes one reader of the store, not all of them.
        for (const field of new Set(fields))
          found.push([field, await lines.facets(filter, field, query.limit, signal, unreadable.note)]);
        beside?.(unreadable.fields());
        return typeof query.field === 'string' ? found[0]![1] : Object.fromEntries(found);
      },
    }),
    defineRoute({
      ...read,
      path: '/api/v1/logs/export',
      summary: 'Export lines',
      purpose:
        'Streams the lines of a filter in the order in which they arrived, as NDJSON, CSV or text. In text and CSV control characters are made visible; in NDJSON they are escaped. There is no limit but `limit`; the trailer X-WebVirt-Export says `complete; lines=N`, `cut; lines=N` where the limit left lines out, or `incomplete; lines=N; unreadable=M` where M stored lines that could have matched cannot be read; also a cut one names those it met. An answer without it broke off.',
      query: exportQuery,
      rawType: 'application/x-ndjson',
      async handle({ query, raw, signal }) {
        if (raw === undefined) throw new WebvirtError('bad-request', 'An export is read over HTTP.');
        const { format, limit } = query;
        await exportLines(lines, filterOf(query), { format, limit, nowMs: nowMs(), signal }, raw);
      },
    }),
    defineRoute({
      ...read,
      path: '/api/v1/logs/store',
      summary: 'See how the lines are stored',
      purpose:
        'Says how many lines are stored, on how much disk, which files have lines that cannot be read any more, and how far the pass is in which all files are read again and compared with their checksums.',
      answer: storeAnswer,
      handle: () => lines.stats(),
    }),
    defineRoute({
      ...read,
      path: '/api/v1/logs/:id',
      summary: 'Read a line',
      purpose: 'Reads one line by its id. A line never changes.',
      params: lineParams,
      answer: lineAnswer,
      async handle({ params: { id } }) {
        const line = await lines.get(id);
        if (line === null) throw new WebvirtError('not-found', `There is no line ${id}.`);
        return line;
      },
    }),
    defineRoute({
      ...read,
      path: '/api/v1/logs/:id/context',
      summary: 'Read the lines around a line',
      purpose: 'Reads what arrived before and after a line, oldest first, of all hosts or of its host alone.',
      params: lineParams,
      query: contextQuery,
      answer: contextAnswer,
      async handle({ params: { id }, query: { before, after, sameHost } }) {
        const found = await lines.context(id, { before, after, sameHost: sameHost === 'true' });
        if (found.length === 0) throw new WebvirtError('not-found', `There is no line ${id}.`);
        return found;
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/logs',
      summary: 'Send lines',
      purpose:
        'Stores lines of a program outside: a JSON array or NDJSON of {message, level?, tsMs? or ts?, unit?, fields?}. They are of the source external; what they say of their host or agent is kept as a field. The answer comes when they are stored, and names what was refused; one bad line does not fail the others. Also gzip.',
      access: 'member',
      body: ingestBody,
      bodyLimitBytes: 8 * 1024 * 1024,
      takesLines: true,
      answer: ingestAnswer,
      errors: ['store-unavailable', 'too-many-requests'],
      example: [{ message: 'backup finished', level: 'info', unit: 'backup', fields: { bytes: 1024 } }],
      admit: (principal) => door.admit(senderOf(principal)),
      async handle({ body, principal }) {
        const sender = senderOf(principal!);
        const read = readOutsideLines(body, sender.name, nowMs());
        await handOn(door, sender, read);
        return { accepted: read.lines.length, refusedCount: read.refusedCount, refused: read.refused };
      },
    }),
  ];
}

function senderOf({ credentialId, name }: { credentialId: string; name: string }): HttpSender {
  return { way: 'http', id: credentialId, name };
}
