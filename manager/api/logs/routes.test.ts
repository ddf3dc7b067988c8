import { get } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Line, NewLine } from '../../../common/model/line.ts';
import { ColumnBuilder } from '../../../common/wire/frames.ts';
import { type Edge, startEdge } from '../../../test/support/edge.ts';
import { type OpenLineStore, openLineStore } from '../../store/duckdb/open.ts';
import type { LineDoor } from '../intake/door.ts';
import { exportLines } from './export.ts';
import { logRoutes } from './routes.ts';

const EPOCH = 'e'.repeat(16);
const NOW = 1_700_000_000_000;
/** Everything that a terminal or an eye could be deceived with, and what spreadsheets run. */
const HOSTILE = [
  '\u001b]52;c;AAAA\u0007 clipboard',
  'one\r\nFORGED error line\u2028\u2029\u0085',
  'bidi \u202e\u2066 zero \u200b\u00ad bell \u0007 nul \u0000 csi \u009b31m del \u007f tag \u{e0041}',
  '=HYPERLINK("http://evil","click")',
  '@sum(1+1), "quoted"',
];
const ACTING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u2028\u2029\u202e\u2066]/u;

let store: OpenLineStore;
let edge: Edge;
let headers: Record<string, string>;

function batch(first: number, lines: Partial<NewLine>[]) {
  const builder = new ColumnBuilder();
  for (const line of lines) builder.add({ tsMs: NOW + first, level: 'info', source: 'agent', message: 'x', ...line });
  return {
    ...{ agent: 'a1', host: 'a1', hostName: 'node1', epoch: EPOCH, first, count: lines.length, gap: null },
    ...{ hash: String(first).padStart(32, '0'), receivedMs: NOW + 5_000, columns: builder.take() },
  };
}

beforeAll(async () => {
  edge = await startEdge();
  store = await openLineStore(join(edge.dataDir, 'lines.duckdb'));
  await store.lines.append([
    batch(
      0,
      HOSTILE.map((message, i) => ({ message, level: 'error', unit: 'evil', tsMs: NOW + i, fields: { raw: message } })),
    ),
  ]);
  const rest = Array.from({ length: 5_000 }, (_, i) => ({ message: `line ${i}`, tsMs: NOW + 1_000 + i / 10 }));
  await store.lines.append([batch(HOSTILE.length, rest)]);
  await edge.swapRoutes(logRoutes({ lines: store.lines, door: {} as LineDoor, nowMs: () => NOW + 10_000 }));
  headers = { ...edge.bearer('admin').headers, 'Content-Type': 'application/json' };
});
afterAll(async () => {
  expect(edge.faults).toEqual([]);
  await store.close();
  await edge.stop();
});

const ask = (path: string) => edge.ask(`/api/v1/logs${path}`, { headers });
const data = async <T>(path: string) => (await ask(path)).json.data as T;
const fault = async (path: string) => (await ask(path)).json.err;

describe('stored lines', () => {
  it('are read newest first, page by page, to the end', async () => {
    const seen: string[] = [];
    let cursor = '';
    for (let pages = 0; pages < 9; pages++) {
      const page = await data<{ lines: Line[]; next: string | null }>(`?limit=2000${cursor}`);
      seen.push(...page.lines.map(({ id }) => id));
      if (page.next === null) break;
      cursor = `&cursor=${page.next}`;
    }
    expect(seen).toHaveLength(5_005);
    expect(new Set(seen).size).toBe(5_005);
    expect(seen[0]).toBe(`a1.${EPOCH}.5004`);
  });

  it('are filtered by every part of the address', async () => {
    const count = async (query: string) => (await data<{ lines: Line[] }>(`?limit=5000&${query}`)).lines.length;
    expect(await count('level=error')).toBe(5);
    expect(await count('q=unit:evil%20-clipboard')).toBe(4);
    expect(await count('host=node1&source=agent&q=%22line%20499%22')).toBe(11);
    expect(await count(`from=${NOW}&to=${NOW + 2}`)).toBe(2);
    expect(await count(`from=${new Date(NOW + 1_000).toISOString()}`)).toBe(5_000);
    expect(await count('job=none')).toBe(0);
    expect(await fault('?q=%22open')).toBe('bad-query');
    const wrong = [
      '?limit=5001',
      '?limit=0',
      '?level=loud',
      '?from=yesterday',
      `?from=${NOW}&to=1`,
      '?cursor=x',
      '?limit=1&limit=2',
    ];
    for (const query of wrong) expect(await fault(query), query).toBe('bad-request');
  });

  it('are counted over time and by value', async () => {
    const buckets = await data<{ fromMs: number; counts: Record<string, number> }[]>(
      `/histogram?from=${NOW}&to=${NOW + 2_000}&buckets=2`,
    );
    expect(buckets.map(({ fromMs, counts }) => [fromMs, counts['error'], counts['info']])).toEqual([
      [NOW, 5, 0],
      [NOW + 1_000, 0, 5_000],
    ]);
    const last = await data<{ counts: Record<string, number> }[]>('/histogram?buckets=1');
    expect(last.reduce((sum, { counts }) => sum + counts['info']!, 0)).toBe(5_000);
    expect(await data('/facets?field=level')).toEqual([
      { value: 'error', count: 5 },
      { value: 'info', count: 5_000 },
    ]);
    expect(await data('/facets?field=level&field=unit&q=unit:evil')).toEqual({
      level: [{ value: 'error', count: 5 }],
      unit: [{ value: 'evil', count: 5 }],
    });
    expect(await data('/count?q=%22line%20%22%20-unit:evil')).toEqual({ count: 5_000 });
    expect(await data(`/count?level=error&to=${NOW + 2}`)).toEqual({ count: 2 });
    expect(await fault('/count?q=%22open')).toBe('bad-query');
    expect(await fault('/facets')).toBe('bad-request');
    expect(await fault('/facets?field=a%22b')).toBe('bad-request');
  });

  it('are read one by one and with what stands around them', async () => {
    const id = `a1.${EPOCH}.100`;
    expect(await data(`/${id}`)).toMatchObject({ id, message: 'line 95' });
    const around = await data<Line[]>(`/${id}/context?before=2&after=1&sameHost=true`);
    expect(around.map(({ message }) => message)).toEqual(['line 93', 'line 94', 'line 95', 'line 96']);
    expect(await fault(`/a1.${EPOCH}.999999`)).toBe('not-found');
    expect(await fault(`/a1.${EPOCH}.999999/context`)).toBe('not-found');
    for (const wrong of ['/1', '/..%2f', `/a1.${EPOCH}.-1`])
      expect(['bad-request', 'not-found']).toContain(await fault(wrong));
  });
});

describe('an export', () => {
  it('as NDJSON holds every line as it is, in the order of arrival, and nothing that acts', async () => {
    const answer = await fetch(`http://127.0.0.1:${edge.port}/api/v1/logs/export?format=ndjson`, { headers });
    const [text, answered] = [await answer.text(), Object.fromEntries(answer.headers)];
    expect(text).not.toMatch(ACTING);
    const lines = text
      .trimEnd()
      .split('\n')
      .map((row) => JSON.parse(row) as Line);
    expect(lines.map(({ id }) => Number(id.split('.')[2]))).toEqual(Array.from({ length: 5_005 }, (_, i) => i));
    expect(lines.slice(0, 5).map(({ message }) => message)).toEqual(HOSTILE);
    expect(answered['content-disposition']).toMatch(/^attachment; filename="webvirt-logs-[\w-]+\.ndjson"$/);
    expect(answered['content-type']).toContain('application/x-ndjson');
  });

  it('as text and CSV has one row a line, and shows what would act', async () => {
    const text = await ask('/export?format=text&q=unit:evil');
    expect(text.text).not.toMatch(ACTING);
    expect(text.text.trimEnd().split('\n')).toHaveLength(5);
    expect(text.text).toContain('error node1 agent/evil ␛]52;c;AAAA␇ clipboard');
    const csv = await ask('/export?format=csv&q=unit:evil&limit=4');
    const rows = csv.text.trimEnd().split('\r\n');
    expect(csv.text.replaceAll('\r\n', '')).not.toMatch(ACTING);
    expect(rows).toHaveLength(5);
    expect(rows[4]).toContain(`"'=HYPERLINK(""http://evil"",""click"")"`);
    expect(csv.headers['content-type']).toContain('text/csv');
  });

  it('says behind its last line whether the limit left any out', async () => {
    const summary = (query: string) =>
      new Promise<unknown>((resolve, reject) => {
        const path = `/api/v1/logs/export?${query}`;
        get({ port: edge.port, host: '127.0.0.1', path, headers }, (answer) => {
          answer.resume().on('end', () => resolve(answer.trailers['x-webvirt-export']));
        }).on('error', reject);
      });
    expect(await summary('format=ndjson')).toBe('complete; lines=5005');
    expect(await summary('format=csv&limit=2500')).toBe('cut; lines=2500');
    expect(await summary('format=text&limit=5005')).toBe('complete; lines=5005');
    expect(await summary('format=text&q=unit:evil&limit=5')).toBe('complete; lines=5');
  });

  it('answers a filter that cannot be read as any call does', async () => {
    expect(await fault('/export?q=%22open')).toBe('bad-query');
    expect(await fault('/export?format=xml')).toBe('bad-request');
  });

  it('asks the store for no further page until its reader took the last one, and none when it has gone', async () => {
    let [pages, written] = [0, 0];
    const since: typeof store.lines.since = (filter) => {
      pages += 1;
      return store.lines.since(filter, pages, 10);
    };
    const gone = new AbortController();
    const taken: (() => void)[] = [];
    const raw = {
      header: () => undefined,
      trailer: () => undefined,
      write() {
        written += 1;
        return new Promise<void>((resolve) => void taken.push(resolve));
      },
    };
    const options = { format: 'text', nowMs: NOW, signal: gone.signal } as const;
    const ended = exportLines({ since, newestOrdinal: () => 5_005 }, {}, options, raw);
    const outcome = expect(ended).rejects.toThrow(/abort/i);
    // The head, then pages one and two; nobody takes the third write.
    for (const wanted of [1, 2, 3]) {
      while (written < wanted) await new Promise((resolve) => setImmediate(resolve));
      if (wanted < 3) taken.shift()!();
    }
    expect(pages).toBe(2);
    gone.abort();
    taken.shift()!();
    await outcome;
    expect(pages).toBeLessThanOrEqual(3);
  });
});
