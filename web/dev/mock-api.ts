// The answers of the pretended manager. Only as much of the contract as the console asks for.

import { isWebvirtError, WebvirtError } from '../../common/errors.ts';
import type { Line } from '../../common/model/line.ts';
import { LEVELS } from '../../common/model/words.ts';
import { parseQuery } from '../../common/pure/query/parse.ts';
import { job, type World } from './mock-data.ts';
import { fillLedger } from './mock-ledger.ts';
import { answerLogs } from './mock-logs.ts';
import { answerOps, readResources } from './mock-ops.ts';
import { answerRules, readRules } from './mock-rules.ts';

export interface MockCall {
  method: string;
  path: string;
  body: unknown;
}

export interface MockState {
  world: World;
  calls: MockCall[];
  changed: (uri: string) => void;
  addLines: (lines: Line[]) => void;
  password: string;
  /** How long a job takes. */
  jobMs: number;
  /** How long a step of a search takes. */
  searchMs: number;
  /** How long a move takes. */
  moveMs: number;
}

/** Lines that a filter lets through; words, -words and field:value, enough to see the page work. */
export function matcherOf(filter: Record<string, string | undefined>): (line: Line) => boolean {
  const query = parseQuery(filter['q'] ?? '');
  const least = filter['level'] ? LEVELS.indexOf(filter['level'] as 'info') : LEVELS.length;
  return (line) => {
    if (LEVELS.indexOf(line.level) > least) return false;
    for (const key of ['host', 'instance', 'source', 'job'] as const)
      if (filter[key] && line[key] !== filter[key]) return false;
    return query.terms.every((term) => {
      const hit =
        term.kind === 'text'
          ? line.message.toLowerCase().includes(term.text)
          : term.kind === 'field'
            ? String(
                (line as unknown as Record<string, unknown>)[term.field] ?? line.fields?.[term.field] ?? '',
              ).toLowerCase() === term.pieces.join('*')
            : term.kind === 'regex'
              ? new RegExp(term.source, term.ignoreCase ? 'i' : '').test(line.message)
              : true;
      return hit !== term.not;
    });
  };
}

const LISTS: Record<string, keyof World> = {
  '/api/v1/hosts': 'hosts',
  '/api/v1/instances': 'instances',
  '/api/v1/jobs': 'jobs',
  '/api/v1/candidates': 'candidates',
  '/api/v1/scans': 'scans',
  '/api/v1/images': 'images',
  '/api/v1/ledger': 'ledger',
  '/api/v1/searches': 'searches',
};

export function readList(world: World, uri: string): unknown {
  const rules = readRules(world, uri);
  if (rules !== undefined) return rules;
  const key = LISTS[uri];
  return key === undefined ? readResources({ world }, uri) : structuredClone(world[key]);
}

/** Answers a call or throws an error of the catalogue. */
export function answer(
  state: MockState,
  method: string,
  url: URL,
  body: Record<string, unknown>,
): { status: number; data: unknown } {
  const { world } = state;
  const path = url.pathname;
  const given = Object.fromEntries(url.searchParams) as Record<string, string | undefined>;
  if (method === 'GET' && LISTS[path] !== undefined) return { status: 200, data: readList(world, path) };
  if (path === '/api/v1/samples') return { status: 200, data: samples(state, given) };
  const filled = fillLedger(world.ledger, path, body);
  if (filled !== null) {
    state.changed('/api/v1/ledger');
    return { status: 200, data: filled };
  }
  const logs = answerLogs(state, method, url, body);
  if (logs !== null) return logs;
  if (path === '/api/v1/instances/actions' && method === 'POST') {
    const jobs = (body['ids'] as string[]).map((id) =>
      startJob(state, id, String(body['action']), `${String(body['opId']).slice(0, 24)}${id.slice(0, 8)}`),
    );
    return { status: 202, data: { jobs, refused: [] } };
  }
  const act = /^\/api\/v1\/instances\/([^/]+)\/actions$/.exec(path);
  if (act && method === 'POST')
    return { status: 202, data: { job: startJob(state, act[1]!, String(body['action']), String(body['opId'])) } };
  const enrol = /^\/api\/v1\/candidates\/([^/]+)\/enrol$/.exec(path);
  if (enrol) {
    return {
      status: 200,
      data: {
        command: `webvirt agent enrol https://10.77.0.2:4600 wv1.${'9f'.repeat(32)}.k7d2.2m8Qx0Zr1Vt4Yb6Nc9Lw3Hs5Pd`,
        expiresMs: Date.now() + 900_000,
      },
    };
  }
  if (path === '/api/v1/scans' && method === 'POST') {
    if (!/^10\./.test(String(body['range'])))
      throw new WebvirtError('bad-range', `${body['range']} is not inside the configured ranges (10.77.0.0/16).`);
    world.scans.unshift({
      id: `s${Date.now()}`,
      kind: 'whole',
      range: String(body['range']),
      state: 'running',
      actor: 'admin@localhost',
      startedMs: Date.now(),
      endedMs: null,
      addresses: 254,
      scanned: 96,
      up: 4,
      agents: 2,
      error: null,
    });
    state.changed('/api/v1/scans');
    return { status: 202, data: world.scans[0] };
  }
  const ruled = answerRules(state, method, path, body);
  if (ruled !== null) return ruled;
  const operation = answerOps(state, method, path, given, body);
  if (operation !== null) return operation;
  throw new WebvirtError('not-found');
}

function startJob(state: MockState, instanceId: string, action: string, opId: string): unknown {
  const { world } = state;
  const instance = world.instances.find(({ id }) => id === instanceId);
  if (instance === undefined) throw new WebvirtError('not-found');
  const known = world.jobs.find(({ id }) => id === opId);
  if (known !== undefined) return known;
  const made = { ...job(action, 'running', instance, Date.now(), {}), id: opId };
  world.jobs.unshift(made);
  instance.busyJob = opId;
  state.changed('/api/v1/jobs');
  state.changed('/api/v1/instances');
  setTimeout(() => {
    const fails = action === 'save';
    Object.assign(made, {
      state: fails ? 'failed' : 'done',
      endedMs: Date.now(),
      error: fails
        ? { code: 'libvirt-failed', message: 'operation failed: domain save job: unexpectedly failed' }
        : null,
    });
    instance.busyJob = null;
    if (action === 'force-off' || action === 'shutdown')
      Object.assign(instance, { state: 'shutoff', load: null, changedMs: Date.now() });
    if (action === 'start' || action === 'resume') Object.assign(instance, { state: 'running', changedMs: Date.now() });
    if (action === 'pause') Object.assign(instance, { state: 'paused', changedMs: Date.now() });
    state.changed('/api/v1/jobs');
    state.changed('/api/v1/instances');
  }, state.jobMs);
  return made;
}

function samples(state: MockState, given: Record<string, string | undefined>): unknown {
  const kind = given['kind'] === 'host' ? state.world.hosts : state.world.instances;
  const ids = given['ids']?.split(',');
  const points = Number(given['points'] ?? 60);
  return kind
    .filter((one) => (ids === undefined || ids.includes(one.id)) && one.load)
    .map((one, row) => {
      const tsMs = Array.from({ length: points }, (_, index) => Date.now() - (points - index) * 5_000);
      const wave = (index: number) => 0.75 + 0.25 * Math.sin(index / 5 + row) + 0.12 * Math.sin(index * 1.7 + row * 3);
      return {
        id: one.id,
        tsMs,
        cpuRatio: tsMs.map((_, index) => Math.min(1, one.load!.cpuRatio * wave(index))),
        memoryUsedBytes: tsMs.map((_, index) => one.load!.memoryUsedBytes * (0.9 + 0.1 * wave(index / 4))),
      };
    });
}

export { isWebvirtError };
