import { WebvirtError } from '../../common/errors.ts';
import { LEVELS } from '../../common/model/line.ts';
import type { SavedSearch } from '../../common/model/search.ts';
import { parseDuration } from '../../common/pure/config/quantity.ts';
import { request } from '../net/request.ts';
import type { CliCall } from './command.ts';
import { resolveInstance } from './resolve.ts';
import { textFlag } from './values.ts';

const PARTS = ['q', 'level', 'host', 'instance', 'source', 'job', 'session'] as const;

/** Flags of all commands that choose lines. */
export const FILTER_FLAGS = {
  level: { type: 'string', describe: `least severe level shown: ${LEVELS.join(' ')}` },
  host: { type: 'string', describe: 'id or name of a host' },
  instance: { type: 'string', describe: 'name or UUID of an instance' },
  source: { type: 'string', describe: 'manager, agent, crawler, libvirt, qemu, …' },
  job: { type: 'string', describe: 'id of a job' },
  session: { type: 'string', describe: 'id of a computation session' },
  saved: { type: 'string', describe: 'a saved search; what else is given comes on top (see webvirt searches)' },
} as const;

export const RANGE_FLAGS = {
  from: { type: 'string', describe: 'not before: 2h (ago), an ISO 8601 time, or milliseconds since 1970' },
  to: { type: 'string', describe: 'before this time' },
} as const;

/** The parts of a filter that were given, a saved search below them. */
export async function filterOf(call: CliCall, more: { q?: string } = {}): Promise<Record<string, string>> {
  const filter: Record<string, string> = {};
  const saved = textFlag(call, 'saved');
  if (saved !== undefined) {
    const { q, ...rest } = (await savedSearch(call, saved)).query;
    Object.assign(filter, rest, q === '' ? {} : { q });
  }
  for (const name of PARTS) {
    const value = name === 'q' ? (more.q ?? textFlag(call, 'q')) : textFlag(call, name);
    // Words of a saved search and words beside it: both must hold.
    if (value !== undefined)
      filter[name] = name === 'q' && filter['q'] !== undefined ? `${filter['q']} ${value}` : value;
  }
  const instance = textFlag(call, 'instance');
  if (instance !== undefined) filter['instance'] = (await resolveInstance(call.config, instance)).id;
  return filter;
}

/** One's own of this name, else one that somebody shares. */
export async function savedSearch(call: CliCall, name: string): Promise<SavedSearch> {
  const all = await request<SavedSearch[]>(call.config, 'GET', '/api/v1/searches');
  const found = all.filter((search) => search.id === name || search.name.toLowerCase() === name.toLowerCase());
  if (found.length === 1) return found[0]!;
  if (found.length === 0) throw new WebvirtError('not-found', `There is no search "${name}". See: webvirt searches`);
  const me = await request<{ email: string }>(call.config, 'GET', '/api/v1/me');
  const own = found.find((search) => search.owner === me.email);
  if (own !== undefined) return own;
  const which = found.map((search) => `${search.id} (${search.owner})`).join(', ');
  throw new WebvirtError('ambiguous', `Several people share a search "${name}"; use its id: ${which}`);
}

/** `from` and `to` in milliseconds since 1970. */
export function rangeOf(call: CliCall, nowMs: number): { from?: number; to?: number } {
  const range: { from?: number; to?: number } = {};
  for (const name of ['from', 'to'] as const) {
    const text = textFlag(call, name);
    if (text !== undefined) range[name] = momentOf(name, text, nowMs);
  }
  return range;
}

function momentOf(name: string, text: string, nowMs: number): number {
  if (/^\d{9,16}$/.test(text)) return Number(text);
  const written = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(written)) return written;
  try {
    return nowMs - parseDuration(text);
  } catch {
    throw new WebvirtError(
      'bad-request',
      `--${name} takes 2h (ago), an ISO 8601 time, or milliseconds; not "${text}".`,
    );
  }
}
