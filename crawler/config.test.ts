import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { isWebvirtError } from '../common/errors.ts';
import { defaultsFile } from '../common/pure/config/yaml-file.ts';
import { configOf, crawlerConfigSchema, readConfig } from './config.ts';

const HEADING = `Configuration of the WebVirt crawler: every key with its default.

Copy it, keep the keys you change, and name your copy in WEBVIRT_CRAWLER_CONFIG. Each key can also be given as a variable of
the environment: WEBVIRT_CRAWLER_ and the key in capitals, such as WEBVIRT_CRAWLER_RANGES=10.77.0.0/24,10.78.0.0/24 or
WEBVIRT_CRAWLER_SCANS_WHOLE_PERIOD=1h. WEBVIRT_MANAGER_URL and WEBVIRT_AGENT_PORT are read as well.`;

it('ships every key with its default', () => {
  expect(readFileSync(new URL('../conf/crawler.yaml', import.meta.url), 'utf8')).toBe(
    defaultsFile(crawlerConfigSchema, HEADING),
  );
});

it('scans nothing unless told to', () => {
  expect(configOf({}).blocks).toEqual([]);
});

it('takes ranges and the shared variables from the environment', () => {
  const config = readConfig({
    WEBVIRT_CRAWLER_RANGES: '127.0.0.1/32,10.77.0.0/24',
    WEBVIRT_MANAGER_URL: 'https://manager.example:4600',
    WEBVIRT_AGENT_PORT: '4777',
    WEBVIRT_CRAWLER_SCANS_KNOWN_PERIOD: '2s',
  });
  expect(config.blocks).toEqual([
    { base: 0x7f000001, bits: 32 },
    { base: 0x0a4d0000, bits: 24 },
  ]);
  expect(config).toMatchObject({ managerUrl: 'https://manager.example:4600', agentPort: 4777 });
  expect(config.scans.known.period).toBe(2_000);
});

it.each([
  [['10.0.0.0/8'], /ranges\.0: .*widest/],
  [['10.0.0.0/24', '127.0.0.0/8'], /ranges\.1/],
  [['127.0.0.0/24'], /loopback/],
  [['fd00::/64'], /IPv6/],
  [['-iL/etc/passwd'], /ranges\.0/],
])('names the range that is wrong: %j', (ranges, reason) => {
  try {
    configOf({ ranges });
    expect.unreachable();
  } catch (error) {
    expect(isWebvirtError(error, 'bad-config')).toBe(true);
    expect((error as Error).message).toMatch(reason);
  }
});
