import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { printIpv4 } from '../../common/pure/ip/address.ts';
import { parseCidr } from '../../common/pure/ip/cidr.ts';
import type { HostRecord } from './hosts-xml.ts';
import { runNmap } from './nmap.ts';
import { piecesOfRange } from './pieces.ts';

async function nmap(program: string, range: string): Promise<HostRecord[]> {
  const hosts: HostRecord[] = [];
  await runNmap({
    ...{ program, port: 4601, rate: 1_000, limitMs: 15_000, piece: piecesOfRange(parseCidr(range)!)[0]! },
    signal: new AbortController().signal,
    onHost: (host) => hosts.push(host),
  });
  return hosts;
}

const isRoot = process.getuid?.() === 0 && spawnSync('ip', ['-V']).status === 0;
describe.skipIf(!isRoot)('real nmap in a network of our own', () => {
  const [near, far] = [`wv-scan-a${process.pid}`, `wv-scan-b${process.pid}`];
  const ip = (...args: string[]) => execFileSync('ip', args);
  const folder = mkdtempSync(join(tmpdir(), 'webvirt-routed-'));
  let listener: { pid?: number; kill(): boolean };
  beforeAll(async () => {
    ip('netns', 'add', near);
    ip('netns', 'add', far);
    ip('-n', near, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1', 'netns', far);
    ip('-n', near, 'addr', 'add', '10.98.0.1/24', 'dev', 'v0');
    ip('-n', far, 'addr', 'add', '10.98.0.2/24', 'dev', 'v1');
    for (const [ns, link] of [
      [near, 'v0'],
      [far, 'v1'],
      [near, 'lo'],
      [far, 'lo'],
    ] as const)
      ip('-n', ns, 'link', 'set', link, 'up');
    ip('-n', near, 'route', 'add', '10.99.0.0/16', 'via', '10.98.0.2');
    ip('-n', far, 'route', 'add', 'local', '10.99.4.0/30', 'dev', 'lo');
    ip('-n', far, 'route', 'add', 'blackhole', '10.99.0.0/16');
    const script = 'require("net").createServer().listen(4601,"10.99.4.1",()=>console.log("up"))';
    const child = spawn('ip', ['netns', 'exec', far, process.execPath, '-e', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    listener = child;
    await new Promise((resolve) => child.stdout.once('data', resolve));
  });
  afterAll(() => {
    listener?.kill();
    for (const ns of [near, far]) spawnSync('ip', ['netns', 'del', ns]);
    rmSync(folder, { recursive: true });
  });

  it('tells open from refused, neighbours by ARP, and nothing of the silent', async () => {
    const inside = join(folder, 'inside');
    writeFileSync(inside, `#!/bin/sh\nexec ip netns exec ${near} nmap "$@"\n`);
    chmodSync(inside, 0o755);
    const routed = await nmap(inside, '10.99.4.0/24');
    expect(Object.fromEntries(routed.map((one) => [printIpv4(one.address), one.reason]))).toEqual({
      '10.99.4.0': 'reset',
      '10.99.4.1': 'syn-ack',
      '10.99.4.2': 'reset',
      '10.99.4.3': 'reset',
    });
    // On the same segment the port is not asked: that is why every other reason is looked at by connecting.
    const neighbours = await nmap(inside, '10.98.0.0/29');
    expect(neighbours.map((one) => one.reason).sort()).toEqual(['arp-response', 'localhost-response']);
  });
});
