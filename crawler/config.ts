import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { WebvirtError } from '../common/errors.ts';
import { checkConfig } from '../common/pure/config/check.ts';
import { layeredConfig } from '../common/pure/config/layers.ts';
import { duration, size } from '../common/pure/config/quantity.ts';
import type { Cidr } from '../common/pure/ip/cidr.ts';
import { mustScanRange } from '../common/pure/ip/scan-range.ts';

const rate = (pps: number, what: string) =>
  z.number().int().min(1).max(100_000).default(pps).describe(`Probes a second, at most: ${what}`);
const period = (text: string, what: string) =>
  duration({ max: '30d' })
    .prefault(text)
    .describe(`Pause between the end of one such scan and the start of the next; 0s switches it off. ${what}`);

export const crawlerConfigSchema = z.object({
  managerUrl: z
    .url({ protocol: /^https?$/ })
    .default('http://127.0.0.1:4600')
    .describe('Address of the manager.'),
  caFile: z
    .string()
    .default('')
    .describe('File with the certificate of the CA that signed the manager, when its address starts with https.'),
  tokenFile: z
    .string()
    .default('./data/local/crawler.token')
    .describe('File with the token of the service role; the manager writes it. It is waited for.'),
  dataDir: z.string().default('./data/crawler').describe('Directory for lines that wait and for what is known.'),
  logLevel: z.enum(['error', 'warn', 'info', 'debug']).default('info').describe('Least severe level that is kept.'),
  agentPort: z.number().int().min(1).max(65_535).default(4601).describe('Port on which the agents listen.'),
  ranges: z
    .array(z.string())
    .max(64)
    .default([])
    .describe(
      'The only IPv4 ranges that are ever scanned, such as 10.77.0.0/24; none wider than /16. Of loopback only single ' +
        'addresses (127.0.0.1/32) are taken. Scan only networks that are yours.',
    ),
  allowLoopback: z.boolean().default(false).describe('Lets ranges of several loopback addresses pass. For tests.'),
  nmap: z.string().default('nmap').describe('Program that scans.'),
  parallel: z
    .number()
    .int()
    .min(1)
    .max(8)
    .default(4)
    .describe('How many nmap share the rate of one scan: while one waits for late answers the others send.'),
  timeLimit: duration({ min: '1s' }).prefault('10m').describe('A scan that takes longer is ended and fails.'),
  scans: z
    .object({
      whole: z
        .object({ period: period('15m', 'First at start.'), rate: rate(10_000, 'in all ranges, one after another.') })
        .describe('Every address of every range.'),
      silent: z
        .object({ period: period('2m', ''), rate: rate(5_000, 'slower than the whole, since it comes oftener.') })
        .describe('Addresses that answered nothing so far: new hosts.'),
      noAgent: z
        .object({ period: period('30s', ''), rate: rate(2_000, 'these hosts are there and answer each probe.') })
        .describe('Hosts that are up without an agent: where one was just installed.'),
      known: z
        .object({ period: period('5s', 'An agent that is missed twice in a row is lost.') })
        .describe('Known agents, asked directly without nmap.'),
      manual: z.object({ rate: rate(20_000, 'somebody waits for it.') }).describe('Scans that somebody asked for.'),
    })
    .describe('The kinds of scan.'),
  probe: z
    .object({
      timeLimit: duration({ min: '50ms', max: '30s' }).prefault('2s').describe('Time for one peer, in all.'),
      parallel: z.number().int().min(1).max(1_024).default(128).describe('How many peers are looked at side by side.'),
    })
    .describe('The look at who listens on an open port.'),
  spool: z
    .object({
      cap: size({ min: '1MiB' }).prefault('64MiB').describe('Lines that wait for the manager take at most this.'),
    })
    .describe('Lines of the crawler itself.'),
});

export type CrawlerConfig = z.output<typeof crawlerConfigSchema> & {
  /** The ranges as numbers: nothing else is ever given to nmap. */
  blocks: readonly Cidr[];
};

/** Reads, checks and freezes the configuration. Throws `bad-config` that names the key. The only reader of the environment. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): CrawlerConfig {
  const file = env['WEBVIRT_CRAWLER_CONFIG'];
  const parsed = layeredConfig(crawlerConfigSchema, {
    text: file === undefined ? null : readText(file),
    file: file ?? 'conf/crawler.yaml',
    // These two are shared with the manager and the agent, and so have no name of ours.
    env: {
      WEBVIRT_CRAWLER_MANAGER_URL: env['WEBVIRT_MANAGER_URL'],
      WEBVIRT_CRAWLER_AGENT_PORT: env['WEBVIRT_AGENT_PORT'],
      ...env,
    },
    prefix: 'WEBVIRT_CRAWLER_',
  });
  return withBlocks(parsed, file ?? 'conf/crawler.yaml');
}

/** A configuration from values in code, with the defaults for the rest. Throws like `readConfig`. */
export function configOf(values: z.input<typeof crawlerConfigSchema> | Record<string, unknown>): CrawlerConfig {
  return withBlocks(checkConfig(crawlerConfigSchema, values, { file: 'configuration' }), 'configuration');
}

/** True when the program that started us wants us to end when our standard input does. */
export function stopsWithStdin(env: NodeJS.ProcessEnv = process.env): boolean {
  return env['WEBVIRT_STOP_WITH_STDIN'] === '1';
}

function withBlocks(parsed: z.output<typeof crawlerConfigSchema>, file: string): CrawlerConfig {
  const blocks = parsed.ranges.map((text, i) => {
    try {
      return mustScanRange(text, { allowLoopback: parsed.allowLoopback });
    } catch (error) {
      throw new WebvirtError('bad-config', `${file}: ranges.${i}: ${(error as Error).message}`, { keys: ['ranges'] });
    }
  });
  return Object.freeze({ ...parsed, blocks });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new WebvirtError('bad-config', `WEBVIRT_CRAWLER_CONFIG: ${file} could not be read`, {}, { cause: error });
  }
}
