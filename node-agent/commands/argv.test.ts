import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACTIONS } from '../../common/model/instance.ts';
import type { Command } from '../../common/wire/link.ts';
import { command, ended, ONE, silent } from '../../test/support/command-rig.ts';
import { createHypervisor, type Hypervisor } from '../libvirt/hypervisor.ts';
import { type CommandRunner, createCommandRunner } from './runner.ts';

// A virsh that writes down its words, each behind a NUL, and hands them on to the real one on the test driver.
const PAYLOADS = [
  ';',
  'list; quit',
  '|id',
  '&',
  '&&id',
  '$(id)',
  '`id`',
  '$IFS',
  '{a,b}',
  '*',
  '?',
  '[a]',
  '~',
  '!',
  '#',
  '\n',
  '\r\n',
  'a\nlist',
  '\0',
  'a\0b',
  '\u001b[2J',
  '\u202e',
  '日本',
  '😀',
  ' ',
  '',
  '1',
  '0',
  '-1',
  '--all',
  '--',
  '-c',
  '-rf',
  '--uuid=',
  '--domain=test',
  '-c qemu:///system',
  '@file',
  'json:{}',
  'file:/etc/passwd',
  'nbd:127.0.0.1:1',
  '../',
  '/etc/passwd',
  '%2e%2e',
  '%00',
  "'",
  '"',
  "' or 1=1",
  '<x/>',
  '&amp;',
  '\\',
  '\\n',
  'test',
  'one',
  'quit',
  'connect',
  '__proto__',
  'constructor',
  'toString',
  'a'.repeat(300),
  `${ONE};`,
  `${ONE} --all`,
  ` ${ONE}`,
  `${ONE}\n`,
  `-- ${ONE}`,
  ONE.toUpperCase(),
  ONE.replaceAll('-', ''),
  `{${ONE}}`,
  `urn:uuid:${ONE}`,
];

let folder: string;
let hypervisor: Hypervisor;
let runner: CommandRunner;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-argv-'));
  const node = `<node><domain type='test'><name>one</name><uuid>${ONE}</uuid><memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain></node>`;
  writeFileSync(join(folder, 'node.xml'), node);
  const recorder = `#!/bin/sh\n{ printf '\\001'; for w in "$@"; do printf '%s\\0' "$w"; done; } >> ${folder}/argv
shift 3\nexec /usr/bin/virsh -q -c test://${folder}/node.xml "$@"\n`;
  writeFileSync(join(folder, 'virsh'), recorder);
  chmodSync(join(folder, 'virsh'), 0o700);
  hypervisor = createHypervisor(
    {
      uri: 'qemu:///system',
      sampleEveryMs: 600_000,
      virshPath: join(folder, 'virsh'),
      qemuLogDir: folder,
      runDir: folder,
    },
    { emit: () => undefined, log: silent, now: Date.now },
  );
  const listed = new Promise<void>((resolve) => hypervisor.on(({ t }) => t === 'relisted' && resolve()));
  await hypervisor.start();
  await listed;
  runner = createCommandRunner(
    { journalPath: join(folder, 'journal.sqlite'), shutdownWaitMs: 1 },
    { hypervisor, emit: () => undefined, log: silent, now: Date.now },
  );
});
afterAll(async () => {
  await runner.stop();
  await hypervisor.stop();
  rmSync(folder, { recursive: true });
});

/** Every virsh that was started, as its words. */
const recorded = () =>
  readFileSync(join(folder, 'argv'), 'utf8')
    .split('\u0001')
    .slice(1)
    .map((text) => text.split('\0').slice(0, -1));

// virsh 9 may wait for ever when a save ends before it began to watch it, as in the test driver: hence the time.
test('every action is one child with the UUID behind --', async () => {
  for (const action of ACTIONS) await ended(runner, command(action, { args: { timeoutMs: 1_000 } }));
  const children = recorded().filter((argv) => argv.includes('--'));
  expect(new Set(children.map((argv) => argv[3]))).toEqual(
    new Set(['shutdown', 'reboot', 'reset', 'destroy', 'suspend', 'managedsave', 'autostart']),
  );
  for (const argv of children) {
    expect(argv.slice(0, 3)).toEqual(['-q', '-c', 'qemu:///system']);
    expect(argv.slice(-2)).toEqual(['--', ONE]);
  }
});

test.each(PAYLOADS)('%j in any field is refused, or never reaches virsh', async (payload) => {
  const before = recorded().length;
  const fields: Partial<Command>[] = [
    { verb: payload },
    { instance: payload },
    { opId: payload },
    { args: { timeoutMs: payload } },
    { args: { [payload]: 1 } },
    { args: { mode: payload } },
  ];
  for (const field of fields) {
    const one = command('reset', field);
    // A payload that is a fine opId (letters only) names the job and nothing else.
    if (/^[A-Za-z0-9_-]{8,64}$/.test(one.opId) && field.opId !== undefined) continue;
    let code: string | undefined;
    try {
      code = (await ended(runner, one)).error?.code;
    } catch (error) {
      code = (error as { code?: string }).code;
    }
    expect([field, code]).toEqual([field, 'bad-request']);
  }
  // Who asked is told in lines; it is no part of what virsh is told.
  await ended(runner, command('autostart-off', { actor: payload.slice(0, 255) }));
  expect(recorded().length).toBe(before);
});
