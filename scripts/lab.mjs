// npm run lab [up|status|down] [-- --hosts N]: a small cloud on this machine, and the console on it.
import { spawn } from 'node:child_process';
import { build } from './parts/build.mjs';
import { ensureNpmPackages } from './parts/npm.mjs';
import { ensurePrograms, FOR_LAB } from './parts/packages.mjs';
import { inRoot } from './parts/root.mjs';
import { bringSage } from './parts/sage.mjs';

const args = process.argv.slice(2);
const takesAway = args.includes('down') || args.includes('status');
const withConsole = !takesAway && !args.includes('--no-console');
await ensureNpmPackages();
if (!takesAway) {
  await ensurePrograms(FOR_LAB);
  await build();
}
// One process, not a chain of them: it must hear the signal that takes the lab down, whoever it was sent to.
const lab = spawn(process.execPath, ['--import', 'tsx', inRoot('test', 'lab', 'main.ts'), ...args], {
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
});
const sage = withConsole
  ? bringSage({
      say: (text) => console.log(text),
      logPath: inRoot('.cache', 'sage-install.log'),
      onInstalled: () => lab.connected && lab.send({ installed: 'sagemath' }),
    })
  : null;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => lab.kill(signal));
lab.on('exit', (code) => {
  sage?.stop();
  process.exit(code ?? 1);
});
