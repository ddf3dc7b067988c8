import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startConsole } from './console.ts';
import { createLab } from './lab.ts';

/** Programs that keep the contract of ours: a ready line, an end at SIGTERM and when their input ends. */
const COMMON = `
process.on('SIGTERM', () => process.exit(0));
process.stdin.on('end', () => process.exit(0)).resume();
const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => key.startsWith('WEBVIRT_')));
const ready = (more) => { console.error('starting'); console.log(JSON.stringify({ ready: true, ...more })); };
`;
const MANAGER = `${COMMON}
require('http').createServer((q, s) => s.end(JSON.stringify(env)))
  .listen(env.WEBVIRT_PORT, env.WEBVIRT_LISTEN, () => ready({ url: 'x', firstPassword: 'secret' }));
`;
const AGENT = `${COMMON}
if (env.WEBVIRT_AGENT_BROKEN) { console.error('agent: no such thing'); process.exit(2); }
require('net').createServer().listen(env.WEBVIRT_AGENT_PORT, env.WEBVIRT_AGENT_LISTEN, () => ready());
`;

/** A command that ends with 0 when somebody listens there. */
const connectTo = (address: string, port: number) => [
  process.execPath,
  '-e',
  `require('net').connect(${port}, '${address}').on('connect', () => process.exit(0)).on('error', () => process.exit(1))`,
];

describe.skipIf(process.getuid?.() !== 0)('the console on the lab', () => {
  const lab = createLab({ name: `wvc-${process.pid}`, hosts: 2 });
  const distDir = mkdtempSync(join(tmpdir(), 'webvirt-dist-'));

  beforeAll(async () => {
    for (const [name, code] of Object.entries({
      manager: MANAGER,
      crawler: `${COMMON} ready();`,
      'node-agent': AGENT,
    })) {
      mkdirSync(join(distDir, name));
      writeFileSync(join(distDir, name, 'main.js'), code);
    }
    await lab.up();
  });
  afterAll(async () => {
    await lab.down();
    rmSync(distDir, { recursive: true });
  });

  test('starts every part in its place, is reached from the machine, and stops', async () => {
    const lines: string[] = [];
    const asked: string[] = [];
    const running = await startConsole(lab, {
      distDir,
      port: 4600,
      listenPort: 0,
      onLine: (from, line) => lines.push(`${from}: ${line}`),
      async envFor(program, host, dataDir) {
        asked.push(`${program} ${host?.name}`);
        return { WEBVIRT_MORE: dataDir };
      },
    });
    expect(running.firstPassword).toBe('secret');
    expect(await (await fetch(running.url)).json()).toMatchObject({
      WEBVIRT_LISTEN: '0.0.0.0',
      WEBVIRT_MORE: running.dataDir,
    });
    expect([...running.agents.keys()].sort()).toEqual(['h1', 'h2']);
    expect(asked.sort()).toEqual(['crawler undefined', 'manager undefined', 'node-agent h1', 'node-agent h2']);
    // What they say on their stderr comes another way than that they are ready.
    await expect
      .poll(() => lines.toSorted())
      .toEqual(['crawler: starting', 'manager: starting', 'node-agent h1: starting', 'node-agent h2: starting']);
    // The agent of one host is seen from the other at its own address.
    const seen = await lab.hosts[0]!.exec(connectTo('10.77.0.2', 4601));
    expect(seen.code).toBe(0);
    await running.stop();
    await running.ended;
    await expect(fetch(running.url)).rejects.toThrow();
    expect([...running.agents.values()].map((agent) => agent.exitCode)).toEqual([0, 0]);
  });

  test('says which part did not come up and why, and stops the others', async () => {
    const broken = async (program: string) => (program === 'node-agent' ? { WEBVIRT_AGENT_BROKEN: '1' } : {});
    await expect(startConsole(lab, { distDir, port: 4600, listenPort: 0, envFor: broken })).rejects.toThrow(
      /^node-agent h\d ended \(code 2\): agent: no such thing$/,
    );
    expect((await lab.exec(connectTo('127.0.0.1', 4600))).code).not.toBe(0);
  });
});
