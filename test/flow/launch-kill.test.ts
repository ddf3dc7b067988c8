import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Job } from '../../common/model/job.ts';
import { type LaunchRig, startLaunchRig } from '../support/launch-rig.ts';

// The agent dies at each step of a launch and of a deletion. The programs that it starts kill it: before their work, after
// it, or at its beginning, so that they go on without an agent.
let steps = '';
const trap = (program: string, position: number) => `#!/bin/sh
step=$(cat ${steps}/step 2>/dev/null)
word="\${${position}}"
case "$step" in
"before $word") rm ${steps}/step; kill -9 $PPID; exit 1 ;;
"after $word") rm ${steps}/step; ${program} "$@"; kill -9 $PPID; exit 1 ;;
"with $word") rm ${steps}/step; kill -9 $PPID ;;
esac
exec ${program} "$@"
`;

function trapped(dir: string): Record<string, string> {
  steps = join(dir, 'steps');
  mkdirSync(steps);
  for (const [name, position] of [
    ['virsh', 4],
    ['qemu-img', 1],
  ] as const) {
    writeFileSync(join(steps, name), trap(`/usr/bin/${name}`, position));
    chmodSync(join(steps, name), 0o700);
  }
  return { WEBVIRT_AGENT_VIRSH: join(steps, 'virsh'), WEBVIRT_AGENT_QEMU_IMG: join(steps, 'qemu-img') };
}

describe.skipIf(process.getuid?.() !== 0)('an agent that is killed in the middle (needs root)', () => {
  let rig: LaunchRig;
  beforeAll(async () => {
    rig = await startLaunchRig(trapped);
    await rig.registerBase('tiny');
  });
  afterAll(() => rig?.stop());
  afterEach(async () => {
    for (const { id, name } of await rig.instances())
      await rig.job('DELETE', `/api/v1/instances/${id}?name=${name}&force=true`);
    expect(rig.files()).toEqual(['tiny.qcow2']);
  });

  /** Sends a call during which the agent dies at this step; the outcome is that of the next life. */
  async function killedAt(step: string, method: string, path: string, body?: unknown): Promise<Job> {
    writeFileSync(join(steps, 'step'), step);
    const died = once(rig.stack.agent!.child, 'exit');
    const answer = await rig.stack.api<{ job: Job }>(method, path, body);
    expect(answer.status).toBe(202);
    expect(await died).toEqual([null, 'SIGKILL']);
    await rig.startAgent();
    return rig.ended(answer.body.data!.job.id);
  }
  const small = { base: 'tiny', vcpus: 1, memoryBytes: 32 * 1024 * 1024 };

  test.each([
    ['before create', 'failed'],
    ['after create', 'failed'],
    ['after define', 'failed'],
    ['before start', 'failed'],
    ['with start', 'done'],
    ['after start', 'done'],
  ] as const)('%s: the launch has %s, and the host is as the job says', async (step, state) => {
    const body = { ...small, name: 'victim', opId: `kill-${step.replace(' ', '-')}` };
    const job = await killedAt(step, 'POST', '/api/v1/instances', body);
    expect([job.state, job.error?.code]).toEqual([state, state === 'failed' ? 'op-cancelled' : undefined]);
    const running = await rig.libvirt.virsh('list', '--uuid');
    const defined = await rig.libvirt.virsh('list', '--all', '--uuid');
    expect([running.trim(), defined.trim()]).toEqual(state === 'done' ? [job.instance, job.instance] : ['', '']);
    expect(rig.files()).toEqual([...(state === 'done' ? [`${job.instance}.qcow2`] : []), 'tiny.qcow2'].sort());
    expect((await rig.instances()).map(({ id }) => id)).toEqual(state === 'done' ? [job.instance] : []);
  });

  test.each([
    ['before undefine', 'failed'],
    ['after undefine', 'done'],
  ] as const)('%s: the deletion has %s, and no disk is left without its instance', async (step, state) => {
    const made = await rig.job('POST', '/api/v1/instances', { ...small, name: 'victim' });
    expect(made.state).toBe('done');
    const disk = `${made.instance}.qcow2`;
    const job = await killedAt(step, 'DELETE', `/api/v1/instances/${made.instance}?name=victim&force=true`);
    expect(job.state).toBe(state);
    expect((await rig.libvirt.virsh('list', '--all', '--uuid')).trim()).toBe(state === 'done' ? '' : made.instance);
    expect(rig.files()).toEqual([...(state === 'done' ? [] : [disk]), 'tiny.qcow2'].sort());
  });

  test('a guest that wrote to its disk keeps it, whatever the journal can tell', async () => {
    const opId = 'kill-after-start-written';
    writeFileSync(join(steps, 'step'), 'after start');
    const died = once(rig.stack.agent!.child, 'exit');
    const { body } = await rig.stack.api<{ job: Job }>('POST', '/api/v1/instances', { ...small, name: 'writer', opId });
    await died;
    const { id, instance } = body.data!.job;
    // The guest runs, writes, and ends before the agent is back.
    await rig.libvirt.virsh('destroy', instance!);
    await rig.write(`${instance}.qcow2`);
    await rig.startAgent();
    expect(await rig.ended(id)).toMatchObject({ state: 'done', result: { state: 'shutoff' } });
    expect(rig.files()).toEqual([`${instance}.qcow2`, 'tiny.qcow2'].sort());
  });
});
