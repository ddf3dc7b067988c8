import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Instance } from '../../common/model/instance.ts';
import type { Job } from '../../common/model/job.ts';
import type { Line } from '../../common/model/line.ts';
import { untilBody } from '../support/live.ts';
import { ROOT } from '../support/program.ts';
import { type Stack, startStack } from '../support/stack.ts';

// The command line where it is used: in pipes, mistyped, and while the manager goes away.

const MAIN = join(ROOT, 'dist', 'cli', 'main.js');
const children: ChildProcess[] = [];
let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ agent: true });
  await untilBody<Instance[]>(stack.socket(), '/api/v1/instances', (list) => list.length > 0);
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await stack?.stop();
});

const where = () => ['--url', stack.url, '--data-dir', stack.dataDir];
async function cli(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, ...where(), ...args]);
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

describe('flags', () => {
  test('what is mistyped is refused in one line, and nothing is done', async () => {
    const wrong: [string[], RegExp][] = [
      [['ls', '--jsno'], /--jsno/],
      [['logs', '-n', 'many'], /-n takes a whole number/],
      [['logs', '-n', '-5'], /-n|argument/],
      [['logs', '--level'], /--level/],
      [['ls', 'toString'], /webvirt ls knows/],
      [['ls', 'hosts', 'more'], /webvirt ls knows/],
      [['strat', 'test'], /did you mean "start"/],
      [['start'], /needs the name or UUID/],
      [['pause', 'test', 'no-such'], /There is no instance "no-such"/],
      [['agent', 'enrol', 'http://x', 'y'], /https:\/\//],
      [['ls', '--url', 'ftp://x'], /not an http\(s\) address/],
      [['ls', '--url', 'http://127.0.0.1:1'], /is not reached/],
    ];
    for (const [args, says] of wrong) {
      const { code, out, err } = await cli(...args);
      expect([args, code, out]).toEqual([args, 1, '']);
      expect(err).toMatch(says);
      expect(err.trim().split('\n'), err).toHaveLength(1);
    }
    expect(await stack.get('/api/v1/jobs')).toEqual([]);
  });

  test('a wrong token is refused in words', async () => {
    const { code, err } = await cli('ls', '--token', 'wv_wrong');
    expect([code, err.trim().split('\n').length]).toEqual([1, 1]);
    expect(err).toMatch(/token/i);
  });
});

describe('in a pipe', () => {
  test('a reader that has seen enough ends it quietly', async () => {
    const child = spawn(process.execPath, [MAIN, ...where(), 'logs', '-f', '-n', '5000'], { stdio: 'pipe' });
    children.push(child);
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    // It may end at once, if it has more to write; its last words are read when it is closed.
    const ended = once(child, 'close');
    const [instance] = await stack.get<Instance[]>('/api/v1/instances');
    await once(child.stdout, 'data');
    child.stdout.destroy();
    // Something new must be written for the closed pipe to be noticed.
    await stack.api('POST', `/api/v1/instances/${instance!.id}/actions`, { action: 'pause', opId: 'cli-pipe-0001' });
    expect([await ended, said]).toEqual([[0, null], '']);
  });
});

describe('webvirt logs -f', () => {
  test('goes on through a manager that is killed and started again, and shows each line once', async () => {
    const child = spawn(process.execPath, [MAIN, ...where(), 'logs', '-f', '-n', '0', '--json'], { stdio: 'pipe' });
    children.push(child);
    const lines: Line[] = [];
    const looks = new Set<() => void>();
    createInterface({ input: child.stdout }).on('line', (text) => {
      lines.push(JSON.parse(text) as Line);
      for (const look of looks) look();
    });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
      for (const look of looks) look();
    });
    const until = (test: () => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (test()) resolve();
        };
        looks.add(look);
        look();
      });
    const [instance] = await stack.get<Instance[]>('/api/v1/instances');
    const act = (action: string, opId: string) =>
      stack.api('POST', `/api/v1/instances/${instance!.id}/actions`, { action, opId });
    const shown = (opId: string) => lines.filter((line) => line.job === opId && line.source === 'agent').length;

    // The stream has begun once it shows something: actions are repeated until then.
    for (let i = 0; lines.length === 0 && i < 50; i += 1) {
      await act(i % 2 === 0 ? 'resume' : 'pause', `cli-first-${String(i).padStart(3, '0')}`);
      await Promise.race([until(() => lines.length > 0), new Promise((resolve) => setTimeout(resolve, 200))]);
    }
    const begunMs = Date.now();
    await untilBody<Job[]>(stack.socket(), '/api/v1/jobs', (jobs) => jobs.every((job) => job.endedMs !== null));
    expect((await act('reboot', 'cli-begun-0001')).status).toBe(202);
    await until(() => shown('cli-begun-0001') > 0);
    await stack.manager.end('SIGKILL');
    await until(() => /connection is lost/.test(said));
    await stack.startManager();
    await untilBody<{ state: string }[]>(stack.socket(), '/api/v1/hosts', ([host]) => host?.state === 'online');
    expect((await act('reboot', 'cli-after-0001')).status).toBe(202);
    await until(() => /Connected again/.test(said) && shown('cli-after-0001') > 0);

    // All that was stored since the stream began is shown; what was stored last may still be on its way.
    const page = await stack.get<{ lines: Line[] }>('/api/v1/logs?limit=5000');
    const stored = page.lines.filter((line) => line.tsMs > begunMs).map((line) => line.id);
    expect(stored.length).toBeGreaterThan(5);
    await until(() => stored.every((id) => lines.some((line) => line.id === id)));
    const ids = lines.map((line) => line.id);
    expect(new Set(ids).size).toBe(ids.length);
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
  });
});
