// The log part of the pretended manager: pages, counts, facets, searches that stream, saved searches.
import type { Socket } from 'socket.io';
import { isWebvirtError, WebvirtError } from '../../common/errors.ts';
import type { Line } from '../../common/model/line.ts';
import type { SavedSearch } from '../../common/model/search.ts';
import { type MockState, matcherOf } from './mock-api.ts';
import type { World } from './mock-data.ts';
import { answerStored } from './mock-stored.ts';

type Given = Record<string, string | undefined>;

/** Answers a call about lines; null when it is none. */
export function answerLogs(
  state: MockState,
  method: string,
  url: URL,
  body: Record<string, unknown>,
): { status: number; data: unknown } | null {
  const { world } = state;
  const path = url.pathname;
  const given = Object.fromEntries(url.searchParams) as Given;
  const stored = answerStored(method, path, body, () => world.lines.filter(inRange(given)));
  if (stored !== undefined) return { status: 200, data: stored };
  if (path === '/api/v1/logs') return { status: 200, data: page(world, given) };
  if (path === '/api/v1/logs/histogram') return { status: 200, data: histogram(world, given) };
  if (path === '/api/v1/logs/facets')
    return { status: 200, data: facets(world, given, url.searchParams.getAll('field')) };
  const context = /^\/api\/v1\/logs\/([^/]+)\/context$/.exec(path);
  if (context) {
    const index = world.lines.findIndex((line) => line.id === decodeURIComponent(context[1]!));
    if (index < 0) throw new WebvirtError('not-found', 'There is no line with this id.');
    return { status: 200, data: world.lines.slice(Math.max(0, index - 100), index + 100) };
  }
  const saved = /^\/api\/v1\/searches(?:\/([^/]+))?$/.exec(path);
  if (saved && method !== 'GET') return { status: 200, data: changeSearch(state, method, saved[1], body) };
  return null;
}

function changeSearch(
  state: MockState,
  method: string,
  id: string | undefined,
  body: Record<string, unknown>,
): unknown {
  const { searches } = state.world;
  const at = searches.findIndex((one) => one.id === id);
  if (id !== undefined && at < 0) throw new WebvirtError('not-found');
  let answer: unknown = null;
  if (method === 'DELETE') searches.splice(at, 1);
  else {
    const now = Date.now();
    const old = searches[at];
    const kept = {
      id: old?.id ?? `q${now}`,
      owner: 'admin@localhost',
      createdMs: old?.createdMs ?? now,
      changedMs: now,
    };
    const made = { columns: [], shared: false, ...body, ...kept } as unknown as SavedSearch;
    if (old === undefined) searches.push(made);
    else searches[at] = made;
    answer = made;
  }
  state.changed('/api/v1/searches');
  return answer;
}

function inRange(given: Given): (line: Line) => boolean {
  const fits = matcherOf(given);
  const from = Number(given['from'] ?? 0);
  const to = Number(given['to'] ?? Number.POSITIVE_INFINITY);
  return (line) => line.tsMs >= from && line.tsMs < to && fits(line);
}

function page(world: World, given: Given): { lines: Line[]; next: string | null; searchedBackToMs: number | null } {
  const fits = inRange(given);
  const limit = Number(given['limit'] ?? 100);
  const lines: Line[] = [];
  let at = Number(given['cursor'] ?? world.lines.length) - 1;
  for (; at >= 0 && lines.length < limit; at -= 1) if (fits(world.lines[at]!)) lines.push(world.lines[at]!);
  return { lines, next: at >= 0 ? String(at + 1) : null, searchedBackToMs: world.lines[Math.max(0, at)]?.tsMs ?? null };
}

function histogram(world: World, given: Given): unknown {
  const fits = matcherOf(given);
  const from = Number(given['from']);
  const to = Number(given['to']);
  const size = Number(given['buckets'] ?? 60);
  const buckets = Array.from({ length: size }, (_, index) => ({
    fromMs: from + ((to - from) / size) * index,
    counts: { error: 0, warn: 0, info: 0, debug: 0 },
  }));
  for (const line of world.lines) {
    const bucket = buckets[Math.floor(((line.tsMs - from) / (to - from)) * size)];
    if (bucket !== undefined && fits(line)) bucket.counts[line.level] += 1;
  }
  return { buckets };
}

function facets(world: World, given: Given, fields: string[]): unknown {
  const found = world.lines.filter(inRange(given));
  const limit = Number(given['limit'] ?? 20);
  const values = (field: string) => {
    const counts = new Map<string, number>();
    for (const line of found) {
      const value = valueIn(line, field);
      if (value !== undefined && value !== '') counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
    }
    return [...counts]
      .sort((a, b) => b[1] - a[1])
      .slice(0, limit)
      .map(([value, count]) => ({ value, count }));
  };
  return fields.length === 1 ? values(fields[0]!) : Object.fromEntries(fields.map((field) => [field, values(field)]));
}

function valueIn(line: Line, field: string): unknown {
  if (field in line) return (line as unknown as Record<string, unknown>)[field];
  return field.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], line.fields);
}

/** How many lines one step of a search looks at, and how long it pretends to take. */
const STEP_LINES = 1_500;

/** `logs:search` and `logs:cancel`: a stored range in steps back, what was found told after each. */
export function serveSearches(socket: Socket, world: () => World, stepMs: () => number): void {
  const running = new Set<string>();
  socket.on('logs:cancel', ({ id }: { id: string }) => running.delete(id));
  socket.on('disconnect', () => running.clear());
  socket.on('logs:search', (request: Given & { id: string }, ack: (answer: unknown) => void) => {
    const { id } = request;
    const limit = Number(request['limit'] ?? 500);
    let fits: (line: Line) => boolean;
    try {
      fits = inRange(request);
    } catch (error) {
      ack({
        err: isWebvirtError(error) ? error.code : 'internal',
        message: isWebvirtError(error) ? error.publicMessage : '',
        data: null,
      });
      return;
    }
    ack({ err: null, data: null });
    running.add(id);
    let at = Number(request['cursor'] ?? world().lines.length) - 1;
    let found = 0;
    const step = () => {
      if (!running.has(id)) return;
      const { lines: all } = world();
      const lines: Line[] = [];
      for (let looked = 0; at >= 0 && looked < STEP_LINES && found < limit; at -= 1, looked += 1) {
        if (!fits(all[at]!)) continue;
        lines.push(all[at]!);
        found += 1;
      }
      const done = at < 0 || found >= limit;
      const next = done && at >= 0 ? String(at + 1) : null;
      socket.emit('logs:found', { id, lines, searchedBackToMs: all[Math.max(0, at)]?.tsMs ?? null, done, next });
      if (done) running.delete(id);
      else setTimeout(step, stepMs());
    };
    step();
  });
}
