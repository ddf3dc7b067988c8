import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Scan } from '../../common/model/discovery.ts';
import type { Host } from '../../common/model/host.ts';
import { untilBody } from '../support/live.ts';
import { ROOT } from '../support/program.ts';
import { type Stack, startStack } from '../support/stack.ts';

// A machine on which programs are missing: each part comes up, says what is missing and how to get it.

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    agent: { WEBVIRT_AGENT_VIRSH: '/nonexistent/virsh' },
    crawler: { WEBVIRT_CRAWLER_NMAP: '/nonexistent/nmap', WEBVIRT_CRAWLER_RANGES: '127.0.0.1/32' },
  });
});
afterAll(() => stack?.stop());

const scan = (range: string) => stack.api<{ scan: Scan }>('POST', '/api/v1/scans', { range });
const ended = (scans: Scan[]) => scans.length > 0 && scans.every((one) => one.endedMs !== null);

describe('without virsh', () => {
  test('the host is there, measured, and says which Debian package it needs', async () => {
    const [host] = await untilBody<Host[]>(
      stack.socket(),
      '/api/v1/hosts',
      ([one]) => one?.state === 'online' && one.load !== null,
    );
    expect([host!.hypervisor, host!.libvirtAnswers]).toEqual(['none', false]);
    expect(host!.limited).toMatch(/virsh is not installed .*libvirt-clients/);
    expect(await stack.get('/api/v1/instances')).toEqual([]);
  });
});

describe('without nmap', () => {
  test('a scan fails and says what to install; the crawler lives', async () => {
    await untilBody<Scan[]>(stack.socket(), '/api/v1/scans', ended);
    const answer = await scan('127.0.0.1/32');
    expect(answer.status).toBe(202);
    const { id } = answer.body.data!.scan;
    const mineEnded = (all: Scan[]) => all.some((one) => one.id === id && one.endedMs !== null);
    const scans = await untilBody<Scan[]>(stack.socket(), '/api/v1/scans', mineEnded);
    const mine = scans.find((one) => one.id === id)!;
    expect([mine.state, mine.error]).toEqual(['failed', expect.stringMatching(/needs nmap.*apt-get install nmap/)]);
    expect(stack.crawler!.child.exitCode).toBeNull();
  });

  test.each([
    ['10.0.0.0/8', /widest that is scanned is a \/16/],
    ['10.9.0.0/24', /not inside a configured range .*127\.0\.0\.1\/32.* Add it to "ranges"/],
    ['-iL/etc/passwd', /not an IPv4 range such as/],
    ['127.0.0.1/32 --script=x', /not an IPv4 range such as/],
  ])('the range %s is refused with what to try', async (range, says) => {
    const { status, body } = await scan(range);
    expect([status, body.err]).toEqual([400, 'bad-range']);
    expect(body.err === null ? '' : body.message).toMatch(says);
  });
});

const NOBODY = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
const asNobody = (argv: string[], env: Record<string, string>) =>
  spawnSync('/usr/bin/setpriv', [...NOBODY, ...argv], { encoding: 'utf8', env });
const packages = join(ROOT, 'scripts', 'parts', 'packages.mjs');
const nobodyCan =
  process.getuid?.() === 0 &&
  existsSync('/usr/bin/python3') &&
  asNobody(['/usr/bin/head', '-c1', packages], {}).status === 0;

describe.runIf(nobodyCan)('npm start without root', () => {
  test('names each missing program, its package and what is lost, and goes on', () => {
    const bin = mkdtempSync(join(tmpdir(), 'webvirt-bin-'));
    try {
      symlinkSync(process.execPath, join(bin, 'node'));
      spawnSync('/bin/chmod', ['755', bin]);
      const script = `import(${JSON.stringify(packages)}).then((all) => all.ensurePrograms(all.FOR_START))`;
      const { status, stdout } = asNobody([join(bin, 'node'), '-e', script], { PATH: bin });
      expect(status).toBe(0);
      expect(stdout).toMatch(/^Missing: virsh \(Debian package libvirt-clients\): no host can be managed\.$/m);
      // Python is Debian's own, wherever PATH leads.
      expect(stdout).not.toMatch(/^Missing: python3 /m);
      expect(stdout).toMatch(
        /^To have all of it: sudo apt-get install --no-install-recommends libvirt-clients .*nmap/m,
      );
      expect(stdout).not.toMatch(/Installing/);
    } finally {
      rmSync(bin, { recursive: true });
    }
  });
});
