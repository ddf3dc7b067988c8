import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ProgramEnded, startProgram } from '../support/program.ts';
import { type Stack, startStack } from '../support/stack.ts';

// What a person meets who starts a part wrongly: one line that says what and what to do, and the right exit code.

const dir = mkdtempSync(join(tmpdir(), 'webvirt-faults-'));
let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ agent: true, crawler: true });
});
afterAll(async () => {
  await stack?.stop();
  rmSync(dir, { recursive: true, force: true });
});

interface Part {
  name: 'manager' | 'node-agent' | 'crawler';
  says: string;
  prefix: string;
  env: Record<string, string>;
}
const PARTS: Part[] = [
  {
    name: 'manager',
    says: 'webvirt manager: ',
    prefix: 'WEBVIRT_',
    env: { WEBVIRT_DATA_DIR: join(dir, 'm'), WEBVIRT_PORT: '0', WEBVIRT_ADMIN_PASSWORD: 'long enough to pass' },
  },
  {
    name: 'node-agent',
    says: 'agent: ',
    prefix: 'WEBVIRT_AGENT_',
    env: {
      WEBVIRT_AGENT_DATA_DIR: join(dir, 'a'),
      WEBVIRT_AGENT_PORT: '0',
      WEBVIRT_AGENT_LIBVIRT_URI: 'test:///default',
    },
  },
  {
    name: 'crawler',
    says: 'crawler: ',
    prefix: 'WEBVIRT_CRAWLER_',
    env: { WEBVIRT_CRAWLER_DATA_DIR: join(dir, 'c'), WEBVIRT_CRAWLER_TOKEN_FILE: join(dir, 'no.token') },
  },
];
const [MANAGER, AGENT, CRAWLER] = PARTS as [Part, Part, Part];

/** Starts a part that must refuse. Resolves with its exit code and the one line that is for people. */
async function refusal(part: Part, env: Record<string, string>): Promise<{ code: number | string; line: string }> {
  try {
    const program = await startProgram(part.name, { ...part.env, ...env });
    await program.end();
  } catch (error) {
    if (!(error instanceof ProgramEnded)) throw error;
    // Lines of the log begin with a time; whatever else is there is what a person reads.
    const lines = error.said.split('\n').filter((line) => line !== '' && !/^\d{4}-\d\d-\d\dT/.test(line));
    expect(lines, error.said).toHaveLength(1);
    expect(lines[0]!.startsWith(part.says), lines[0]).toBe(true);
    return { code: error.code, line: lines[0]!.slice(part.says.length) };
  }
  throw new Error(`${part.name} came up`);
}
const file = (name: string, text: string) => {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
};

describe.each(PARTS)('$name', (part) => {
  const configVariable = `${part.prefix}CONFIG`;
  const dataVariable = `${part.prefix}DATA_DIR`;
  const bad = {
    manager: {
      unknown: 'signIn:\n  trys: 3\n',
      near: /signIn\.trys: .*tries/,
      type: 'http:\n  maxConnections: many\n',
    },
    'node-agent': { unknown: 'libvirtUrl: x\n', near: /libvirtUrl: .*libvirtUri/, type: 'journal:\n  rows: many\n' },
    crawler: { unknown: 'rangse: []\n', near: /rangse: .*ranges/, type: 'parallel: many\n' },
  }[part.name];

  test('a bad configuration file: the file and the key are named, exit code 2', async () => {
    const unknown = file(`${part.name}-unknown.yaml`, bad.unknown);
    const wrong = file(`${part.name}-type.yaml`, bad.type);
    const [first, second, third] = await Promise.all([
      refusal(part, { [configVariable]: unknown }),
      refusal(part, { [configVariable]: wrong }),
      refusal(part, { [configVariable]: dir }),
    ]);
    expect(first).toEqual({ code: 2, line: expect.stringMatching(bad.near) });
    expect(first.line).toContain(unknown);
    expect(second).toEqual({ code: 2, line: expect.stringMatching(/maxConnections: |journal\.rows: |parallel: /) });
    expect(third).toEqual({ code: 2, line: expect.stringContaining(configVariable) });
    expect(third.line).toContain(dir);
  });

  test('a data directory that cannot be: named with its variable, exit code 1, and never an endless try', async () => {
    const inTheWay = file(`${part.name}-file`, 'not a folder');
    for (const place of [inTheWay, join(inTheWay, 'below'), '/proc/webvirt', '/sys/webvirt']) {
      const { code, line } = await refusal(part, { [dataVariable]: place });
      expect([code, line.split(dataVariable)]).toEqual([1, [expect.stringContaining(place), expect.any(String)]]);
    }
  });
});

describe('what is taken already', () => {
  test('a second program on the same data directory', async () => {
    const managed = await refusal(MANAGER, { WEBVIRT_DATA_DIR: stack.dataDir });
    expect(managed).toEqual({ code: 1, line: expect.stringMatching(/data directory .* in use by another manager/) });
    expect(managed.line).toContain(`process ${stack.manager.child.pid}`);
    const agent = await refusal(AGENT, { WEBVIRT_AGENT_DATA_DIR: join(stack.dataDir, 'agent') });
    expect(agent).toEqual({ code: 1, line: expect.stringMatching(/another agent uses the data directory/) });
    const crawler = await refusal(CRAWLER, { WEBVIRT_CRAWLER_DATA_DIR: join(stack.dataDir, 'crawler') });
    expect(crawler).toEqual({ code: 1, line: expect.stringMatching(/in use by another crawler/) });
    // The one that was there is not disturbed.
    expect((await stack.api('GET', '/api/v1/hosts')).status).toBe(200);
  });

  test('a port', async () => {
    const port = new URL(stack.url).port;
    const manager = await refusal(MANAGER, { WEBVIRT_PORT: port });
    expect(manager).toEqual({ code: 1, line: expect.stringMatching(new RegExp(`${port}.* in use.*WEBVIRT_PORT`)) });
    const agentPort = String(stack.agent!.ready['port']);
    const agent = await refusal(AGENT, { WEBVIRT_AGENT_PORT: agentPort });
    expect(agent).toEqual({ code: 1, line: expect.stringMatching(new RegExp(`${agentPort}.* in use.*AGENT_PORT`)) });
  });
});

describe('what a newer program wrote', () => {
  test('is refused and left as it is', async () => {
    const [m, a, c] = [join(dir, 'new-m'), join(dir, 'new-a'), join(dir, 'new-c')];
    const at: { part: Part; env: Record<string, string>; path: string }[] = [
      { part: MANAGER, env: { WEBVIRT_DATA_DIR: m }, path: join(m, 'webvirt.sqlite') },
      { part: AGENT, env: { WEBVIRT_AGENT_DATA_DIR: a }, path: join(a, 'spool.sqlite') },
      { part: CRAWLER, env: { WEBVIRT_CRAWLER_DATA_DIR: c }, path: join(c, 'spool.sqlite') },
    ];
    for (const { part, env, path } of at) {
      await (await startProgram(part.name, { ...part.env, ...env })).end();
      const db = new Database(path);
      db.pragma('journal_mode = DELETE');
      if (part === MANAGER) db.exec("INSERT INTO migrations (version, name, applied_ms) VALUES (99, 'later', 0)");
      else db.exec('PRAGMA user_version = 99; UPDATE format SET no = 99');
      db.close();
      const before = readFileSync(path);
      const { code, line } = await refusal(part, env);
      expect([code, line]).toEqual([1, expect.stringMatching(/written by a newer/)]);
      expect(line).toContain(path);
      expect(readFileSync(path).subarray(100).equals(before.subarray(100))).toBe(true);
    }
  });
});
