import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { ERRORS } from '../../common/errors.ts';
import { variableName } from '../../common/pure/config/layers.ts';
import { describeConfig } from '../../common/pure/config/shape.ts';
import { crawlerConfigSchema } from '../../crawler/config.ts';
import { managerConfigSchema } from '../../manager/config.ts';
import { agentConfigSchema } from '../../node-agent/config.ts';
import { nodeApiCalls } from '../../node-agent/serve/routes.ts';
import { configTable } from './config-page.ts';
import { brokenLinks } from './link-check.ts';
import { managerApiPages, type OpenApi } from './manager-api.ts';
import { nodeApiPage } from './node-api.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SITE = join(ROOT, 'docs-site');
const { values } = parseArgs({ options: { check: { type: 'boolean' }, base: { type: 'string', default: '' } } });

/** The document as a running manager gives it: what the reference says is what is. */
async function openApiOfManager(dataDir: string): Promise<OpenApi> {
  const child = spawn(process.execPath, [join(ROOT, 'dist', 'manager', 'main.js')], {
    env: { ...process.env, WEBVIRT_DATA_DIR: dataDir, WEBVIRT_PORT: '0', WEBVIRT_LISTEN: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  try {
    const url = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`The manager ended (${code}) before it was ready: ${said}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const message = JSON.parse(line) as { ready?: boolean; url: string };
        if (message.ready) resolve(message.url);
      });
    });
    const token = readFileSync(join(dataDir, 'local', 'admin.token'), 'utf8').trim();
    const answer = await fetch(`${url}/api/v1/openapi.json`, { headers: { authorization: `Bearer ${token}` } });
    if (!answer.ok) throw new Error(`openapi.json answered ${answer.status}: ${await answer.text()}`);
    const document = (await answer.json()) as OpenApi & { data?: OpenApi };
    return document.data ?? document;
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    if (child.exitCode === null) await ended;
  }
}

function errorTable(): string {
  const rows = Object.entries(ERRORS).map(([code, { status, text }]) => `| \`${code}\` | ${status} | ${text} |`);
  return `| code | status | meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}

const work = mkdtempSync(join(tmpdir(), 'webvirt-docs-'));
let broken: string[] = [];
try {
  const source = join(work, 'site');
  cpSync(SITE, source, { recursive: true, filter: (path) => !/\/(_site|generate|\.jekyll-cache)(\/|$)/.test(path) });
  const document = await openApiOfManager(join(work, 'data'));
  const pages = [
    ...managerApiPages(document),
    nodeApiPage(nodeApiCalls()),
    { path: 'reference/managerapi/_errors.md', text: errorTable() },
    {
      path: 'reference/managerconfig/_manager.md',
      text: configTable(describeConfig(managerConfigSchema), (key) => variableName('WEBVIRT_', key)),
    },
    {
      path: 'reference/managerconfig/_crawler.md',
      text: configTable(describeConfig(crawlerConfigSchema), (key) => variableName('WEBVIRT_CRAWLER_', key)),
    },
    {
      path: 'reference/nodeconfig/_agent.md',
      text: configTable(describeConfig(agentConfigSchema), (key) => variableName('WEBVIRT_AGENT_', key)),
    },
  ];
  for (const page of pages) {
    mkdirSync(dirname(join(source, page.path)), { recursive: true });
    writeFileSync(join(source, page.path), page.text);
  }
  writeFileSync(join(source, '_data', 'version.yml'), `"${document.info.version}"\n`);
  const jekyll = spawnSync(
    'jekyll',
    [
      'build',
      '--quiet',
      '--source',
      source,
      '--destination',
      join(SITE, '_site'),
      '--baseurl',
      values.base,
      '--disable-disk-cache',
    ],
    { encoding: 'utf8', env: { ...process.env, LANG: 'C.UTF-8', JEKYLL_NO_BUNDLER_REQUIRE: 'true' } },
  );
  if (jekyll.status !== 0) throw new Error(`jekyll failed: ${jekyll.stderr || jekyll.stdout}`);
  if (values.check) broken = brokenLinks(join(SITE, '_site'), values.base);
  console.log(`The reference site is in docs-site/_site (${pages.length} generated pages).`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
for (const link of broken) console.error(`broken link: ${link}`);
process.exitCode = broken.length > 0 ? 1 : 0;
