// Counts, kept times and exports of the pretended manager.
import type { Line } from '../../common/model/line.ts';
import type { KeepMark } from '../../common/model/search.ts';

const keeps: KeepMark[] = [];

/** Answers a call about stored lines; undefined when it is none. */
export function answerStored(
  method: string,
  path: string,
  body: Record<string, unknown>,
  found: () => Line[],
): unknown {
  if (path === '/api/v1/logs/count') return { count: found().length };
  if (path === '/api/v1/logs/store') return { lines: found().length, bytesOnDisk: 0, oldestMs: null, unreadable: [] };
  if (path === '/api/v1/logs/export')
    return found()
      .map((line) => `${JSON.stringify(line)}\n`)
      .join('');
  const [, id] = /^\/api\/v1\/logs\/keeps(?:\/([^/]+))?$/.exec(path) ?? [];
  if (!path.startsWith('/api/v1/logs/keeps')) return undefined;
  if (method === 'POST') {
    const mark = { ...body, id: `k${keeps.length}`, owner: 'admin@localhost', createdMs: Date.now() } as KeepMark;
    keeps.unshift(mark);
    return mark;
  }
  if (method === 'DELETE') {
    keeps.splice(
      keeps.findIndex((mark) => mark.id === id),
      1,
    );
    return null;
  }
  return keeps;
}
