// npm run lab [up|status|down] [-- --hosts N]: a small cloud on this machine, and the console on it.
import { spawn } from 'node:child_process';
import { build } from './parts/build.mjs';
import { ensureNpmPackages } from './parts/npm.mjs';
import { ensurePrograms, FOR_LAB } from './parts/packages.mjs';
import { inRoot } from './parts/root.mjs';

const args = process.argv.slice(2);
const takesAway = args.includes('down') || args.includes('status');
await ensureNpmPackages();
if (!takesAway) {
  await ensurePrograms(FOR_LAB);
  await build();
}
// One process, not a chain of them: it must hear the signal that takes the lab down, whoever it was sent to.
const lab = spawn(process.execPath, ['--import', 'tsx', inRoot('test', 'lab', 'main.ts'), ...args], {
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => lab.kill(signal));
lab.on('exit', (code) => process.exit(code ?? 1));
