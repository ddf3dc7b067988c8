import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Instance } from '../../common/model/instance.ts';
import { untilBody } from '../support/live.ts';
import { type PrivateLibvirtd, startPrivateLibvirtd } from '../support/private-libvirtd.ts';
import { ROOT } from '../support/program.ts';
import { defineShellGuest } from '../support/shell-guest.ts';
import { type Stack, startStack } from '../support/stack.ts';

const GUEST = 'c0000000-0000-4000-8000-000000000021';
/** Runs a command in a terminal of its own, then says how that terminal was left. */
const IN_TERMINAL = `
import os, pty, sys, termios
raw = []
def read(fd):
    data = os.read(fd, 1024)
    raw.append(not termios.tcgetattr(fd)[3] & termios.ICANON)
    return data
status = pty.spawn(sys.argv[1:], read)
sys.stdout.flush()
os.write(1, b"\\nended %d raw-was %d\\n" % (os.WEXITSTATUS(status), any(raw)))
`;

describe.skipIf(process.getuid?.() !== 0)('webvirt console', () => {
  const folder = mkdtempSync(join(tmpdir(), 'webvirt-serial-cli-'));
  const children: ChildProcessWithoutNullStreams[] = [];
  let libvirtd: PrivateLibvirtd;
  let stack: Stack;

  beforeAll(async () => {
    libvirtd = await startPrivateLibvirtd();
    await defineShellGuest(libvirtd, { name: 'web-1', uuid: GUEST, logFile: join(folder, 'guest.log') });
    await libvirtd.virsh('start', GUEST);
    stack = await startStack({
      agent: {
        WEBVIRT_AGENT_LIBVIRT_URI: libvirtd.uri,
        WEBVIRT_AGENT_LIBVIRT_RUN_DIR: libvirtd.runDir,
        WEBVIRT_AGENT_QEMU_LOG_DIR: libvirtd.qemuLogDir,
      },
    });
    await untilBody<Instance[]>(stack.socket(), '/api/v1/instances', (list) => list[0]?.state === 'running');
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });
  afterAll(async () => {
    await stack?.stop();
    await libvirtd?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The command line, in a terminal or without one; `until` awaits what it prints. */
  function webvirt(terminal: boolean, ...words: string[]) {
    const command = [process.execPath, join(ROOT, 'dist/cli/main.js'), 'console', ...words, '--url', stack.url];
    const argv = terminal ? ['python3', '-c', IN_TERMINAL, ...command] : command;
    const child = spawn(argv[0]!, argv.slice(1), {
      env: { PATH: process.env['PATH'], WEBVIRT_TOKEN: stack.token, TERM: 'xterm' },
      stdio: 'pipe',
    });
    children.push(child);
    let text = '';
    const looks = new Set<() => void>();
    const add = (chunk: Buffer) => {
      text += chunk;
      for (const look of looks) look();
    };
    child.stdout.on('data', add);
    child.stderr.on('data', add);
    child.stdin.on('error', () => undefined);
    return {
      child,
      text: () => text,
      type: (keys: string) => void child.stdin.write(keys),
      until: (pattern: RegExp) =>
        new Promise<void>((resolve) => {
          const look = () => pattern.test(text) && resolve();
          looks.add(look);
          look();
        }),
    };
  }

  it('is a raw terminal on the guest, keeps its tricks out, and leaves everything as it was', async () => {
    const cli = webvirt(true, 'web-1');
    await cli.until(/\[web-1 on .*leaves\]/);
    // Before its first heartbeat nobody in the guest listens for keys.
    await cli.until(/heartbeat \d+ web-1/);
    cli.type('\r');
    await cli.until(/\/ # /);
    cli.type('printf "\\033]52;c;b3duZWQ=\\007<\\033[31mred\\033[0m>"; echo " sum $((40+2))"\r');
    await cli.until(/ sum 42/);
    expect(cli.text()).toContain('<\x1b[31mred\x1b[0m>');
    expect(cli.text()).not.toContain('\x1b]52');
    // Ctrl-C belongs to the guest; a heartbeat later its shell has surely begun to wait.
    cli.type('sleep 1000\r');
    await cli.until(/sleep 1000\s[\s\S]*heartbeat[\s\S]*heartbeat/);
    cli.type('\x03');
    await cli.until(/\^C[\s\S]*\/ # /);
    cli.type('echo st"ill"\r');
    await cli.until(/\nstill/);
    cli.type('\x1d');
    await cli.until(/ended 0 raw-was 1/);
    expect(cli.text()).toContain('\x1b[?25h');
  });

  it('only looks where its input is no terminal, and ends when it is told to', async () => {
    const cli = webvirt(false, GUEST);
    await cli.until(/heartbeat \d+ web-1/);
    cli.type('echo un"wanted"\n');
    cli.child.stdin.end();
    await cli.until(/heartbeat \d+[\s\S]*heartbeat/);
    expect(cli.text()).not.toContain('unwanted');
    cli.child.kill('SIGTERM');
    expect(await once(cli.child, 'exit')).toEqual([0, null]);
  });

  it('names what it cannot open', async () => {
    const cli = webvirt(false, 'nobody');
    // Its last words are read when it is closed: it may have ended before.
    expect((await once(cli.child, 'close'))[0]).toBe(1);
    expect(cli.text()).toContain('There is no instance "nobody"');
  });
});
