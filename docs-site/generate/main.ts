import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { ERRORS } from '../../common/errors.ts';
import { variableName } from '../../common/pure/config/layers.ts';
import { describeConfig } from '../../common/pure/config/shape.ts';
import { crawlerConfigSchema } from '../../crawler/config.ts';
import { buildOpenapi } from '../../manager/api/openapi/build-openapi.ts';
import { managerConfigSchema } from '../../manager/config.ts';
import { describedRoutes } from '../../manager/manager/routes.ts';
import { agentConfigSchema } from '../../node-agent/config.ts';
import { NODE_API } from '../../node-agent/serve/routes.ts';
import { computeTable } from './compute-config.ts';
import { configTable } from './config-page.ts';
import { brokenLinks } from './link-check.ts';
import { managerApiPages, type OpenApi } from './manager-api.ts';
import { nodeApiPage } from './node-api.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SITE = join(ROOT, 'docs-site');
const { values } = parseArgs({ options: { check: { type: 'boolean' }, base: { type: 'string', default: '' } } });

function errorTable(): string {
  const rows = Object.entries(ERRORS).map(([code, { status, text }]) => `| \`${code}\` | ${status} | ${text} |`);
  return `| code | status | meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}

const work = mkdtempSync(join(tmpdir(), 'webvirt-docs-'));
let broken: string[] = [];
try {
  const source = join(work, 'site');
  cpSync(SITE, source, { recursive: true, filter: (path) => !/\/(_site|generate|\.jekyll-cache)(\/|$)/.test(path) });
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  // The same tables from which the router, the guard and the agent's port are made: what the pages say is what is.
  const document = buildOpenapi(describedRoutes(version), version) as unknown as OpenApi;
  const pages = [
    ...managerApiPages(document),
    nodeApiPage(NODE_API),
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
    {
      path: 'reference/nodeconfig/_compute.md',
      text: computeTable(readFileSync(join(ROOT, 'conf', 'compute.json'), 'utf8')),
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
