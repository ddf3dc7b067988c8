import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Scan } from '../../common/model/discovery.ts';
import type { Host } from '../../common/model/host.ts';
import { untilBody } from '../support/live.ts';
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
    const scans = await untilBody<Scan[]>(stack.socket(), '/api/v1/scans', ended);
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
