import { spawn } from 'node:child_process';
import { memberEnv } from './enter.ts';
import { createLab } from './lab.ts';
import { labNames } from './names.ts';

// A process that owns a lab and does nothing else: the tests kill it. Says "claimed" and "up".
const lab = createLab({ name: process.argv[2]!, hosts: 1 });
const up = lab.up();
const timer = setInterval(async () => {
  if ((await lab.status()).state !== 'up') return;
  clearInterval(timer);
  console.log('claimed');
}, 1);
await up;
lab.hosts[0]!.spawn(['sleep', '1000']);
lab.spawn(['sleep', '1000'], { detached: true });
await lab.forward(9, 0);
// One that is still on its way into the lab.
spawn('sleep', ['1000'], { env: memberEnv(labNames(lab.name)), stdio: 'ignore', detached: true });
console.log('up');
