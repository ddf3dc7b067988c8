import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import winston from 'winston';
import type { AgentServiceMessage } from '../../common/wire/services.ts';
import { type PrivateLibvirtd, startPrivateLibvirtd } from '../../test/support/private-libvirtd.ts';
import { defineShellGuest } from '../../test/support/shell-guest.ts';
import { createHypervisor, type Hypervisor } from '../libvirt/hypervisor.ts';
import { CONSOLES_DEFAULTS, type Consoles, createConsoles } from './consoles.ts';

const GUEST = 'c0000000-0000-4000-8000-000000000001';
const BARE = 'c0000000-0000-4000-8000-000000000002';
// A heartbeat proves within a second that a console is open: an error may take its time on a busy machine.
const PATIENT = { ...CONSOLES_DEFAULTS, settleMs: 10_000 };
const log = winston.createLogger({ silent: true });

/** The manager's end of one link: what the consoles have sent, and a promise for what must come. */
function listen(consoles: Consoles, takes = true) {
  const sent: AgentServiceMessage[] = [];
  const waiting = new Set<() => void>();
  const came = new Map<string, number>();
  const attached = consoles.service.attach((message) => {
    sent.push(message);
    if (message.t === 'console-data' && takes) {
      const bytes = (came.get(message.id) ?? 0) + Buffer.from(message.data, 'base64').length;
      came.set(message.id, bytes);
      attached.take({ t: 'console-ack', id: message.id, bytes });
    }
    for (const look of waiting) look();
  });
  const data = (id: string) => sent.filter((one) => one.t === 'console-data').filter((one) => one.id === id);
  const text = (id: string) =>
    data(id)
      .map((one) => Buffer.from(one.data, 'base64').toString())
      .join('');
  const end = (id: string) => sent.filter((one) => one.t === 'console-end').find((one) => one.id === id);
  return {
    ...{ sent, data, text, end, detach: () => attached.detach() },
    take: (bytes: number) => attached.take({ t: 'console-ack', id: 'console-f', bytes }),
    type: (id: string, keys: string) => attached.take({ t: 'console-input', id, data: keys }),
    until: (holds: () => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!holds()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

describe.skipIf(process.getuid?.() !== 0)('the serial consoles of a host', () => {
  const folder = mkdtempSync(join(tmpdir(), 'webvirt-consoles-'));
  const logFile = join(folder, 'guest.log');
  let libvirtd: PrivateLibvirtd;
  let hypervisor: Hypervisor;
  let consoles: Consoles;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    libvirtd = await startPrivateLibvirtd();
    await defineShellGuest(libvirtd, { name: 'guest', uuid: GUEST, logFile });
    await libvirtd.define('bare', BARE);
    await libvirtd.virsh('start', GUEST);
    const { uri, runDir, qemuLogDir, procDir } = libvirtd;
    hypervisor = createHypervisor(
      { uri, runDir, qemuLogDir, procDir, virshPath: 'virsh', sampleEveryMs: 60_000, xmlDir: folder },
      { emit: () => undefined, log, now: Date.now },
    );
    await hypervisor.start();
    consoles = createConsoles(PATIENT, { hypervisor, log });
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await consoles.stop();
  });
  afterAll(async () => {
    await consoles?.stop();
    await hypervisor?.stop();
    await libvirtd?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Another reader on the host; resolves once it has the console. */
  async function readerOnHost(): Promise<ChildProcess> {
    const script = 'import pty,sys; sys.exit(pty.spawn(sys.argv[1:]))';
    const argv = ['-c', script, 'virsh', '-c', libvirtd.uri, 'console', '--', GUEST];
    const child = spawn('python3', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    let text = '';
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk) => {
        text += chunk;
        if (/heartbeat/.test(text)) resolve();
      });
    });
    return child;
  }

  it('shows what was said before, takes keys, every one of them, and shows what the guest answers', async () => {
    const manager = listen(consoles);
    await consoles.open({ id: 'console-a', instance: GUEST, backlog: true });
    await manager.until(() => /heartbeat \d+ guest/.test(manager.text('console-a')));
    manager.type('console-a', '\r');
    await manager.until(() => manager.text('console-a').includes('/ # '));
    // Ctrl-] would end a virsh with its default escape.
    manager.type('console-a', '\x1d\x15');
    manager.type('console-a', 'echo "gr\u00fc\u00dfe $((40+2))"\r');
    await manager.until(() => manager.text('console-a').includes('gr\u00fc\u00dfe 42'));
    expect(manager.end('console-a')).toBeUndefined();
    // libvirt's own log of it goes on.
    expect(statSync(logFile).size).toBeGreaterThan(0);
  });

  it('has one reader for each instance: a second one in its place, and who has it on the host is not robbed unasked', async () => {
    const manager = listen(consoles);
    await consoles.open({ id: 'console-b', instance: GUEST });
    await consoles.open({ id: 'console-c', instance: GUEST });
    manager.type('console-c', '\r');
    await manager.until(() => /heartbeat/.test(manager.text('console-c')));
    expect(manager.end('console-b')).toBeUndefined();
    await consoles.stop();

    const again = listen(consoles);
    const reader = await readerOnHost();
    await expect(consoles.open({ id: 'console-d', instance: GUEST })).rejects.toMatchObject({ code: 'busy' });
    expect(again.data('console-d')).toEqual([]);
    const gone = once(reader, 'exit');
    await consoles.open({ id: 'console-e', instance: GUEST, force: true });
    await gone;
    await again.until(() => /heartbeat/.test(again.text('console-e')));
  });

  it('keeps a flooding guest within its bounds when the manager takes nothing, and counts what it skipped', async () => {
    const outlet = { windowBytes: 8_192, keepBytes: 4_096, gapMs: 1 };
    const small = createConsoles({ ...PATIENT, outlet }, { hypervisor, log });
    const slow = listen(small, false);
    await small.open({ id: 'console-f', instance: GUEST });
    slow.type('console-f', '\r');
    await slow.until(() => slow.text('console-f').includes('# '));
    const before = statSync(logFile).size;
    slow.type('console-f', "yes flooding-the-serial-console | head -c 40000; echo d'on'e\r");
    // The log of libvirt tells when the guest is through: nothing more is sent that could be awaited.
    await expect.poll(() => readFileSync(logFile).subarray(before).includes('done')).toBe(true);
    const size = () => slow.data('console-f').reduce((sum, one) => sum + Buffer.from(one.data, 'base64').length, 0);
    expect(size()).toBeGreaterThanOrEqual(8_192);
    expect(size()).toBeLessThanOrEqual(12_288);
    slow.take(size());
    await slow.until(() => slow.text('console-f').includes('done'));
    const skipped = slow.data('console-f').reduce((sum, one) => sum + (one.skipped ?? 0), 0);
    expect(skipped).toBeGreaterThan(40_000 - 3 * 8_192);
    await small.stop();
  });

  it('says why it ends: the guest was turned off, and there is nothing to open then; a reset it goes through', async () => {
    const manager = listen(consoles);
    const boots = (id: string) => manager.text(id).match(/boot: Linux/g)?.length ?? 0;
    await consoles.open({ id: 'console-h', instance: GUEST });
    await libvirtd.virsh('destroy', GUEST);
    await manager.until(() => manager.end('console-h') !== undefined);
    expect(manager.end('console-h')).toMatchObject({ reason: 'The instance is shutoff.' });
    await expect(consoles.open({ id: 'console-i', instance: GUEST })).rejects.toMatchObject({ code: 'wrong-state' });
    await libvirtd.virsh('start', GUEST);
    // What is said until it is open again is in libvirt's log, and not lost.
    const from = statSync(logFile).size;
    await expect.poll(() => readFileSync(logFile).subarray(from).includes('boot: Linux')).toBe(true);
    await consoles.open({ id: 'console-j', instance: GUEST });
    await manager.until(() => boots('console-j') === 1);
    // A reset keeps the machine, and with it the console.
    await libvirtd.virsh('reset', GUEST);
    await manager.until(() => boots('console-j') === 2);
    expect(manager.end('console-j')).toBeUndefined();
  });

  it('gives every console back when the link ends, so that the next link can have it', async () => {
    const first = listen(consoles);
    await consoles.open({ id: 'console-l', instance: GUEST });
    first.detach();
    const second = listen(consoles);
    await consoles.open({ id: 'console-m', instance: GUEST });
    await second.until(() => /heartbeat/.test(second.text('console-m')));
    expect(first.end('console-l')).toBeUndefined();
  });

  it('refuses what is no instance of this host, and a guest without a serial port', async () => {
    listen(consoles);
    const open = (instance: string) => consoles.open({ id: 'console-n', instance });
    await expect(open('guest')).rejects.toMatchObject({ code: 'bad-request' });
    await expect(open('c0000000-0000-4000-8000-00000000000f')).rejects.toMatchObject({ code: 'not-found' });
    await libvirtd.virsh('start', BARE);
    await expect(open(BARE)).rejects.toMatchObject({ code: 'not-found', message: /no serial console/ });
  });
});
