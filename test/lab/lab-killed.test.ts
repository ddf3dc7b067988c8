import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createLab } from './lab.ts';
import { line, NOTHING, traces } from './traces.ts';

describe.skipIf(process.getuid?.() !== 0)('a lab whose owner was killed', () => {
  const name = `wvk-${process.pid}`;
  afterAll(() => createLab({ name }).down());

  test.each(['claimed', 'up'])('at "%s" is dead, and goes away without a trace', async (moment) => {
    const owner = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'lab-owner.ts'), name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await line(owner, moment);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    const lab = createLab({ name, hosts: 0 });
    expect((await lab.status()).state).toBe('dead');
    // One is cleared by the next start, the other by `down`.
    if (moment === 'claimed') await lab.up();
    await lab.down();
    expect(traces(name)).toEqual(NOTHING);
  });
});
