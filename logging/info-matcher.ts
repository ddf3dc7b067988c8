import type { Level } from '../common/model/line.ts';
import { compileMatcher } from '../common/pure/query/match.ts';
import { parseQuery } from '../common/pure/query/parse.ts';
import { re2Engine } from '../common/pure/query/re2-engine.ts';
import type { PlainInfo } from './plain-info.ts';

const LEVEL_OF: Record<string, Level> = { error: 'error', warn: 'warn', info: 'info' };
const NAMED = new Set(['unit', 'instance', 'job', 'session', 'source', 'agent']);

/**
 * Compiles a filter of the `q` language for plain infos; null for one that lets everything through. `level:` knows the
 * four levels of WebVirt, more talkative ones count as debug. Throws `bad-query`, never takes long: patterns are RE2.
 */
export function infoMatcher(q: string | undefined): ((info: PlainInfo) => boolean) | null {
  if (q === undefined || q.trim() === '') return null;
  const query = parseQuery(q);
  if (query.terms.length === 0) return null;
  const matches = compileMatcher(query, re2Engine);
  return (info) => {
    const { fields, message, level } = info;
    const text = (name: string) => {
      const value = fields?.[name];
      return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
    };
    return matches({
      host: text('host') ?? '',
      hostName: text('hostName') ?? '',
      message,
      fields: fields === undefined ? null : JSON.stringify(fields),
      column: (name) => (name === 'level' ? (LEVEL_OF[level] ?? 'debug') : NAMED.has(name) ? text(name) : undefined),
    });
  };
}
