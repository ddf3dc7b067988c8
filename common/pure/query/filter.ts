import { WebvirtError } from '../../errors.ts';
import { LEVELS, type Level } from '../../model/line.ts';
import { fold } from './fold.ts';
import { parseQuery } from './parse.ts';
import type { Query, Term } from './query.ts';

/** The parts of a filter that have a control of their own, beside the text `q`. */
export interface FilterParts {
  q?: string | undefined;
  /** Least severe level that matches. */
  level?: string | undefined;
  host?: string | undefined;
  instance?: string | undefined;
  source?: string | undefined;
  job?: string | undefined;
  session?: string | undefined;
}

/** One query of all parts: what the live view and the store both compile. Throws `bad-query`. */
export function queryOf(parts: FilterParts): Query {
  const terms: Term[] = [];
  if (parts.level !== undefined) {
    const most = LEVELS.indexOf(parts.level as Level);
    if (most < 0) throw new WebvirtError('bad-query', `There is no level "${parts.level}"; try ${LEVELS.join(', ')}`);
    // The least severe level of all leaves nothing out.
    if (most < LEVELS.length - 1) terms.push({ kind: 'severity', most, not: false });
  }
  for (const field of ['host', 'instance', 'source', 'job', 'session'] as const) {
    const value = parts[field];
    if (value !== undefined) terms.push({ kind: 'field', field, pieces: [fold(value)], not: false });
  }
  if (parts.q !== undefined) terms.push(...parseQuery(parts.q).terms);
  return { terms };
}
