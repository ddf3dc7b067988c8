// npm run lab [up|status|down] [-- --hosts N]: a small cloud on this machine, and the console on it.
import { build } from './parts/build.mjs';
import { ensureNpmPackages } from './parts/npm.mjs';
import { ensurePrograms, FOR_LAB } from './parts/packages.mjs';
import { runBin } from './parts/run.mjs';

const args = process.argv.slice(2);
const takesAway = args.includes('down') || args.includes('status');
await ensureNpmPackages();
if (!takesAway) {
  await ensurePrograms(FOR_LAB);
  await build();
}
// Ctrl-C reaches the lab itself, which takes everything down; we only wait for it.
process.on('SIGINT', () => {});
const { code } = await runBin('tsx', ['test/lab/main.ts', ...args]);
process.exit(code);
