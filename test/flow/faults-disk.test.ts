import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../common/model/host.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { Job } from '../../common/model/job.ts';
import type { Line } from '../../common/model/line.ts';
import { tail, untilBody } from '../support/live.ts';
import type { Program } from '../support/program.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { PASSWORD, type Stack, startStack } from '../support/stack.ts';

// Full disks: nothing that was acked is lost, the console stays, and all of it goes on when there is space again.

const finished = (job: Job) => !['planned', 'running'].includes(job.state);

/** Resolves when the program has written something like this to stderr since the call. */
function untilSays(program: Program, what: RegExp): Promise<void> {
  const from = program.said().length;
  return new Promise((resolve) => {
    const look = () => {
      if (!what.test(program.said().slice(from))) return;
      program.child.stderr!.off('data', look);
      resolve();
    };
    program.child.stderr!.on('data', look);
  });
}

describe.skipIf(process.getuid?.() !== 0)('full disks', () => {
  let stack: Stack;
  let managerDisk: SmallDisk;
  let agentDisk: SmallDisk;
  let qemuLog: string;
  let written = 0;

  beforeAll(async () => {
    const agent: Record<string, string> = {};
    stack = await startStack({
      agent,
      manager: { WEBVIRT_LINES_RETRY: '200ms' },
      prepare(dir) {
        managerDisk = mountSmallDisk(join(dir, 'data'), 48)!;
        agentDisk = mountSmallDisk(join(dir, 'agent'), 24)!;
        mkdirSync(join(dir, 'qemu'));
        qemuLog = join(dir, 'qemu', 'test.log');
        appendFileSync(qemuLog, '');
        agent['WEBVIRT_AGENT_DATA_DIR'] = join(dir, 'agent');
        agent['WEBVIRT_AGENT_QEMU_LOG_DIR'] = join(dir, 'qemu');
      },
    });
    await untilBody<Host[]>(stack.socket(), '/api/v1/hosts', ([host]) => host?.state === 'online');
    await untilBody<Instance[]>(stack.socket(), '/api/v1/instances', (list) => list.length === 1);
  });
  afterAll(async () => {
    managerDisk?.free();
    agentDisk?.free();
    // The mounts stand in the folder that the stack removes.
    managerDisk?.unmount();
    agentDisk?.unmount();
    await stack?.stop();
  });

  /** The instance writes numbered lines that nothing can compress. */
  function write(count: number): string {
    const lines = Array.from({ length: count }, (_, i) => `no ${written + i} ${randomBytes(400).toString('hex')}`);
    appendFileSync(qemuLog, `${lines.join('\n')}\n`);
    written += count;
    return `no ${written - 1} `;
  }
  /** Numbers that were written and are not stored; a gap would be a line of its own and leave its numbers missing. */
  async function missing(): Promise<number[]> {
    const { lines } = await stack.get<{ lines: Line[] }>('/api/v1/logs?limit=5000&q=source:qemu');
    const numbers = new Set(lines.map((line) => Number(/^no (\d+)/.exec(line.message)?.[1])));
    return Array.from({ length: written }, (_, i) => i).filter((i) => !numbers.has(i));
  }
  const outcome = (opId: string) => untilBody<Job>(stack.socket(), `/api/v1/jobs/${opId}`, finished);
  const follow = async (socket = stack.socket()) => {
    const live = tail(socket, { source: 'qemu', backlog: 0 });
    await live.started;
    return (start: string) => live.until((lines) => lines.some((line) => line.message.startsWith(start)));
  };
  async function act(action: string, opId: string) {
    const [instance] = await stack.get<Instance[]>('/api/v1/instances');
    return stack.api<{ job: Job }>('POST', `/api/v1/instances/${instance!.id}/actions`, { action, opId });
  }

  test('of the manager (L6): lines wait on their host, people still get in, and no line is missing afterwards', async () => {
    const seen = await follow();
    await seen(write(50));
    managerDisk.fill();
    const refused = untilSays(stack.manager, /Lines cannot be stored now/);
    const last = write(1500);
    await refused;

    const page = await fetch(`${stack.url}/`);
    expect(page.status).toBe(200);
    const signIn = await fetch(`${stack.url}/api/v1/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: stack.url },
      body: JSON.stringify({ email: 'admin@localhost', password: PASSWORD }),
    });
    expect([signIn.status, await signIn.clone().text()]).toEqual([200, expect.any(String)]);
    const cookie = signIn.headers
      .getSetCookie()
      .map((one) => one.split(';')[0])
      .join('; ');
    for (const path of ['/api/v1/hosts', '/api/v1/instances', '/api/v1/jobs', '/api/v1/logs?limit=10', '/list/vms'])
      expect([path, (await fetch(stack.url + path, { headers: { cookie } })).status]).toEqual([path, 200]);
    expect((await act('pause', 'disk-pause-001')).status).toBe(202);
    expect((await outcome('disk-pause-001')).state).toBe('done');
    expect((await act('force-off', 'disk-stop-0001')).status).toBe(202);
    expect((await outcome('disk-stop-0001')).state).toBe('done');
    const [host] = await stack.get<Host[]>('/api/v1/hosts');
    expect(host!.state).toBe('online');

    managerDisk.free();
    await seen(last);
    expect(await missing()).toEqual([]);
    // It is told once, not at each of the tries: each would be one more line that waits.
    expect(stack.agent!.said().match(/cannot take lines now/g)!.length).toBeLessThan(5);
    expect((await act('start', 'disk-after-001')).status).toBe(202);
    expect((await outcome('disk-after-001')).state).toBe('done');
  });

  test('of a host (L5): lines go on, an operation is done or refused as journal-full, the agent lives', async () => {
    const seen = await follow();
    agentDisk.fill();
    const last = write(800);
    // Its spool goes on in the room that it had kept for this.
    await seen(last);
    expect((await act('pause', 'disk-host-0001')).status).toBe(202);
    const job = await outcome('disk-host-0001');
    if (job.state !== 'done') expect([job.state, job.error?.code]).toEqual(['failed', 'journal-full']);
    // Stopping a machine is written down even then: room was kept for it.
    expect((await act('force-off', 'disk-host-0002')).status).toBe(202);
    expect((await outcome('disk-host-0002')).state).toBe('done');
    const [host] = await stack.get<Host[]>('/api/v1/hosts');
    expect([host!.state, stack.agent!.child.exitCode]).toEqual(['online', null]);

    agentDisk.free();
    await seen(write(10));
    expect(await missing()).toEqual([]);
    expect((await act('start', 'disk-host-0003')).status).toBe(202);
    expect((await outcome('disk-host-0003')).state).toBe('done');
  });
});
