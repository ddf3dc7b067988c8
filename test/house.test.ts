import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

// The rules of the house as a test: who may import whom, no import cycles, no long files, no way round the rules.

const ROOT = resolve(import.meta.dirname, '..');
const MAX_LINES = 250;
const COMMON = ['common/errors', 'common/model', 'common/wire', 'common/pure'];
const SHARED = [...COMMON, 'logging'];

/** Room (longest matching path prefix) → rooms it may import. What is not listed is forbidden. */
const MAY: Record<string, string[]> = {
  'common/errors': [],
  'common/model': [],
  'common/wire': ['common/model', 'common/errors'],
  'common/pure': ['common/model', 'common/errors', 'common/wire'],
  logging: COMMON,

  'node-agent/config': SHARED,
  'node-agent/libvirt': SHARED,
  'node-agent/sources': [...SHARED, 'node-agent/libvirt'],
  'node-agent/spool': SHARED,
  'node-agent/identity': SHARED,
  'node-agent/serve': SHARED,
  'node-agent/resources': [...SHARED, 'node-agent/libvirt'],
  'node-agent/console': [...SHARED, 'node-agent/libvirt'],
  'node-agent/compute': SHARED,
  'node-agent/commands': [...SHARED, 'node-agent/libvirt', 'node-agent/resources'],

  'crawler/config': SHARED,
  'crawler/log': SHARED,
  'crawler/classify': [...SHARED, 'crawler/log'],
  'crawler/book': [...SHARED, 'crawler/log'],
  'crawler/observe': [...SHARED, 'crawler/log', 'crawler/book', 'crawler/classify'],
  'crawler/scan': [...SHARED, 'crawler/log', 'crawler/book', 'crawler/observe'],
  'crawler/report': [...SHARED, 'crawler/log'],
  'crawler/schedule': [
    ...SHARED,
    ...['config', 'log', 'classify', 'observe', 'scan', 'report'].map((room) => `crawler/${room}`),
  ],

  'manager/config': SHARED,
  'manager/bus': [...SHARED, 'manager/store/ports'],
  'manager/store/ports': SHARED,
  'manager/store': [...SHARED, 'manager/store/ports'],
  'manager/http/route': [...SHARED, 'manager/bus'],
  'manager/http': [...SHARED, 'manager/bus', 'manager/http/route'],
  'manager/intake': [...SHARED, 'manager/store/ports', 'manager/bus'],
  'manager/links': [...SHARED, 'manager/store/ports', 'manager/bus', 'manager/intake'],
  'manager/auth': [...SHARED, 'manager/store/ports', 'manager/bus'],
  'manager/enrolment': [...SHARED, 'manager/store/ports', 'manager/bus', 'manager/http/route'],
  'manager/commands': [...SHARED, 'manager/store/ports', 'manager/bus'],
  'manager/launch': [...SHARED, 'manager/store/ports', 'manager/bus', 'manager/commands'],
  'manager/migration': [...SHARED, 'manager/store/ports', 'manager/bus', 'manager/commands'],
  'manager/console': [...SHARED, 'manager/store/ports', 'manager/bus'],
  'manager/compute': [...SHARED, 'manager/store/ports', 'manager/bus'],
  'manager/alerts': [...SHARED, 'manager/store/ports', 'manager/bus'],
  'manager/live': [...SHARED, 'manager/store/ports', 'manager/bus', 'manager/http/route'],
  'manager/api': [
    ...SHARED,
    ...[
      ...['store/ports', 'bus', 'http/route', 'commands', 'auth', 'enrolment', 'live'],
      ...['launch', 'migration', 'console', 'compute', 'alerts'],
    ].map((room) => `manager/${room}`),
  ],

  'cli/config': SHARED,
  'cli/net': [...SHARED, 'cli/config'],
  'cli/show': SHARED,
  'cli/commands': [...SHARED, 'cli/net', 'cli/show', 'cli/config'],

  'web/src/dom': COMMON,
  'web/src/models': COMMON,
  'web/src/net': [...COMMON, 'web/src/models'],
  'web/src/views/base': [...COMMON, 'web/src/dom'],
  'web/src/views/widgets': [...COMMON, 'web/src/views/base', 'web/src/dom', 'web/src/models'],
  'web/src/views/pages': [...COMMON, 'web/src/views/base', 'web/src/views/widgets', 'web/src/dom', 'web/src/models'],
  'web/src/views/shell': [...COMMON, 'web/src/views/base', 'web/src/views/widgets', 'web/src/dom', 'web/src/models'],
  'web/src/router': [...COMMON, 'web/src/views/pages'],
};
// A composition root sees its whole program; main sees only the root and the configuration.
const ROOTS: [root: string, program: string][] = [
  ['node-agent/agent', 'node-agent/'],
  ['manager/manager', 'manager/'],
  ['crawler/crawler', 'crawler/'],
  ['web/src/app', 'web/src/'],
];
for (const [root, program] of ROOTS) {
  MAY[root] = [...SHARED, ...Object.keys(MAY).filter((room) => room.startsWith(program))];
  MAY[`${program}main`] = [...SHARED, root, `${program}config`];
}
MAY['cli/main'] = [...SHARED, 'cli/commands', 'cli/config', 'cli/show', 'cli/net'];

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return /^(node_modules|dist|_site|\.cache|\.jekyll-cache)$/.test(entry.name) ? [] : walk(path);
    return /\.(ts|mjs)$/.test(entry.name) ? [path] : [];
  });
}

const every = [
  'common',
  'logging',
  'node-agent',
  'crawler',
  'manager',
  'cli',
  'web',
  'test',
  'bench',
  'scripts',
  'docs-site',
].flatMap((folder) => {
  try {
    return walk(join(ROOT, folder));
  } catch {
    return [];
  }
});
const name = (file: string) => relative(ROOT, file);
const PROGRAMS = /^(common|logging|node-agent|crawler|manager|cli|web\/src)\//;
const files = every.filter((file) => PROGRAMS.test(name(file)) && /(?<!\.test|\.d)\.ts$/.test(file));
const rooms = Object.keys(MAY).sort((a, b) => b.length - a.length);
const roomOf = (file: string) => rooms.find((room) => name(file) === `${room}.ts` || name(file).startsWith(`${room}/`));
const known = new Set(files);

const IMPORT =
  /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"](\.[^'"]+)['"]|(import)\(\s*['"](\.[^'"]+)['"]\s*\)/gm;
interface Edge {
  to: string;
  type: boolean;
  lazy: boolean;
}
const edges = new Map<string, Edge[]>(
  files.map((file) => [
    file,
    [...readFileSync(file, 'utf8').matchAll(IMPORT)]
      .map(([, type, spec, lazy, lazySpec]) => ({
        to: resolve(dirname(file), (spec ?? lazySpec)!),
        type: Boolean(type),
        lazy: Boolean(lazy),
      }))
      .filter((edge) => known.has(edge.to)),
  ]),
);

function cyclesIn(nodes: string[], next: (node: string) => string[]): string[] {
  const state = new Map<string, 'open' | 'done'>();
  const found: string[] = [];
  const visit = (node: string, path: string[]) => {
    if (state.get(node) === 'open') {
      found.push([...path.slice(path.indexOf(node)), node].join(' -> '));
      return;
    }
    if (state.has(node)) return;
    state.set(node, 'open');
    for (const other of next(node)) visit(other, [...path, node]);
    state.set(node, 'done');
  };
  for (const node of nodes) visit(node, []);
  return found;
}

const linesThat = (pattern: RegExp, among: string[]) =>
  among.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, i) => (pattern.test(line) ? [`${name(file)}:${i + 1}: ${line.trim()}`] : [])),
  );

describe('house', () => {
  test('the table of rooms has no cycle', () => {
    expect(cyclesIn(Object.keys(MAY), (room) => (MAY[room] ?? []).filter((other) => other in MAY))).toEqual([]);
  });
  test('every file has a room', () => {
    expect(files.filter((file) => roomOf(file) === undefined).map(name)).toEqual([]);
  });
  test('each room imports only the rooms it may', () => {
    const wrong = files.flatMap((file) =>
      edges
        .get(file)!
        .filter(({ to }) => roomOf(to) !== roomOf(file) && !(MAY[roomOf(file) ?? ''] ?? []).includes(roomOf(to) ?? ''))
        .map(({ to }) => `${name(file)} -> ${name(to)}`),
    );
    expect(wrong).toEqual([]);
  });
  test('no import cycle at run time', () => {
    const next = (file: string) =>
      edges
        .get(file)!
        .filter((edge) => !edge.type && !edge.lazy)
        .map((edge) => edge.to);
    expect(cyclesIn(files, next)).toEqual([]);
  });
  test(`no file over ${MAX_LINES} lines`, () => {
    expect(
      every.filter((file) => readFileSync(file, 'utf8').trimEnd().split('\n').length > MAX_LINES).map(name),
    ).toEqual([]);
  });
  test('only config.ts reads the environment', () => {
    const readers = files.filter((file) => !/\/config\.ts$/.test(file) && !name(file).startsWith('web/'));
    expect(linesThat(/process\.env\b/, readers)).toEqual([]);
  });
  test('no shell: programs are started by argv', () => {
    expect(
      linesThat(
        /\bexec(Sync)?\(|shell:\s*true/,
        files.filter((file) => !name(file).startsWith('web/')),
      ).filter((line) => !/\.exec\(/.test(line)),
    ).toEqual([]);
  });
  test('nothing is left to do in the tree', () => {
    const marks = new RegExp(['TO' + 'DO', 'FIX' + 'ME', 'HA' + 'CK'].map((mark) => `\\b${mark}\\b`).join('|'));
    expect(linesThat(marks, every)).toEqual([]);
  });
  test('no initialised class fields in classes that extend Backbone classes', () => {
    // esbuild and TypeScript set fields after the parent's constructor: they silently overwrite defaults, events, tagName.
    const wrong = files
      .filter((file) => name(file).startsWith('web/'))
      .flatMap((file) => {
        const text = readFileSync(file, 'utf8');
        return [...text.matchAll(/class\s+\w+(?:<[^>]*>)?\s+extends\s+([\w.]+)[^{]*\{([\s\S]*?)^\}/gm)]
          .filter(([, parent]) => /Backbone|View|Model|Collection|Router/.test(parent!))
          .flatMap(([, , body]) =>
            body!
              .split('\n')
              .filter((line) =>
                /^ {2}(?!static\b|declare\b)(?:readonly |private |protected |public |override )*#?\w+(?:!?:[^=()]+)?\s*=(?!=|>)/.test(
                  line,
                ),
              ),
          )
          .map((line) => `${name(file)}: ${line.trim()}`);
      });
    expect(wrong).toEqual([]);
  });
});
