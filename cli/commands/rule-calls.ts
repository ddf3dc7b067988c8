import { WebvirtError } from '../../common/errors.ts';
import { nearest } from '../../common/pure/config/nearest.ts';
import { visibleText } from '../../common/pure/visible-text.ts';
import { request } from '../net/request.ts';
import { jsonText } from '../show/json-text.ts';
import { table } from '../show/table.ts';
import type { CliCall } from './command.ts';

export const timeOf = (tsMs: number | null) => (tsMs === null ? '' : new Date(tsMs).toISOString());
export const said = (text: string | null) => visibleText(text ?? '');

/** Rows for people, or all of it as JSON. Answers the exit code. */
export function show(
  call: CliCall,
  data: unknown,
  heading: string[],
  rows: (string | number)[][],
  none: string,
): number {
  if (!call.json && rows.length === 0) call.note(none);
  else call.out(call.json ? jsonText(data) : table(heading, rows));
  return 0;
}

/** What came of a change: as JSON for programs, in words for people. Answers the exit code. */
export function tell(call: CliCall, data: unknown, words: string): number {
  if (call.json) call.out(jsonText(data ?? null));
  else call.note(words);
  return 0;
}

/** One thing by its id, its whole name, or its name in other capitals. Throws `not-found`, or `ambiguous`. */
export async function findOne<T extends { id: string; name: string }>(
  call: CliCall,
  noun: 'rule' | 'destination',
  wanted: string,
): Promise<T> {
  const all = await request<T[]>(call.config, 'GET', `/api/v1/${noun}s`);
  const exact = all.filter(({ id, name }) => id === wanted || name === wanted);
  const found = exact.length > 0 ? exact : all.filter(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    const ids = found.map(({ id }) => id).join(', ');
    throw new WebvirtError('ambiguous', `${found.length} ${noun}s are called "${wanted}"; use an id: ${ids}`);
  }
  const near = nearest(
    wanted,
    all.map(({ name }) => name),
  );
  const guess = near === null ? '.' : `; did you mean "${near}"?`;
  const list = noun === 'rule' ? 'webvirt rules' : 'webvirt rules destinations';
  throw new WebvirtError('not-found', `There is no ${noun} "${wanted}"${guess} See: ${list}`);
}

/** Refuses words behind those that are understood: a name with a space that was not quoted would act on another thing. */
export function mustBeAll(call: CliCall, most: number, usage: string): void {
  if (call.args.length <= most) return;
  const extra = call.args.slice(most).join(' ');
  throw new WebvirtError(
    'bad-request',
    `"${extra}" is too much here; put names with spaces in quotes. Usage: ${usage}`,
  );
}
