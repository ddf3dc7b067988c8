// npm run docs [-- --check] [--base /path]: builds the reference site into docs-site/_site; --check also follows its links.

import { ensureNpmPackages } from './parts/npm.mjs';
import { ensurePrograms } from './parts/packages.mjs';
import { runBin } from './parts/run.mjs';

await ensureNpmPackages();
if ((await ensurePrograms(['jekyll'])).length > 0) process.exit(1);
const { code } = await runBin('tsx', ['docs-site/generate/main.ts', ...process.argv.slice(2)]);
process.exit(code);
