// npm run lab [up|status|down] [-- --hosts N]: a small cloud on this machine, and the console on it.
import { build } from './parts/build.mjs';
import { ensureNpmPackages } from './parts/npm.mjs';
import { ensurePrograms, FOR_LAB } from './parts/packages.mjs';
import { runBin } from './parts/run.mjs';

const args = process.argv.slice(2);
const command = args.find((word) => !word.startsWith('-') && !/^\d+$/.test(word)) ?? 'up';
await ensureNpmPackages();
if (command === 'up') {
  await ensurePrograms(FOR_LAB);
  await build();
}
// Ctrl-C reaches the lab itself, which takes everything down; we only wait for it.
process.on('SIGINT', () => {});
const { code } = await runBin('tsx', ['test/lab/main.ts', ...args]);
process.exit(code);
