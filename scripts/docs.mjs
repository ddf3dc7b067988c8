// npm run docs [-- --check] [--base /path]: builds the reference site into docs-site/_site; --check also follows its links.

import { build } from './parts/build.mjs';
import { ensureNpmPackages } from './parts/npm.mjs';
import { ensurePrograms } from './parts/packages.mjs';
import { runBin } from './parts/run.mjs';

await ensureNpmPackages();
if ((await ensurePrograms(['jekyll'])).length > 0) process.exit(1);
// The reference of the manager is what a running manager says of itself.
await build();
const { code } = await runBin('tsx', ['docs-site/generate/main.ts', ...process.argv.slice(2)]);
process.exit(code);
