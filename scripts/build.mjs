// npm run build: the four programs and the console, into dist/.
import { build } from './parts/build.mjs';
import { ensureNpmPackages } from './parts/npm.mjs';

await ensureNpmPackages();
await build({ force: true });
