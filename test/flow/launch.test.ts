import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Job } from '../../common/model/job.ts';
import type { Line } from '../../common/model/line.ts';
import { instanceIdOf } from '../../manager/launch/instance-id.ts';
import { type LaunchRig, startLaunchRig } from '../support/launch-rig.ts';

const small = { base: 'tiny', vcpus: 1, memoryBytes: 32 * 1024 * 1024 };

describe.skipIf(process.getuid?.() !== 0)('launch and delete on a real libvirtd (needs root)', () => {
  let rig: LaunchRig;
  beforeAll(async () => {
    rig = await startLaunchRig();
    await rig.registerBase('tiny');
  });
  afterAll(() => rig?.stop());

  test('an instance is launched, runs, and is deleted with its disk and nothing else', async () => {
    const body = { ...small, name: 'one', autostart: true, opId: 'launch-one-1' };
    const job = await rig.job('POST', '/api/v1/instances', body);
    expect(job).toMatchObject({ state: 'done', verb: 'launch', instanceName: 'one', error: null });
    const uuid = job.instance!;
    const [instance] = await rig.instances();
    expect(instance).toMatchObject({ id: uuid, name: 'one', state: 'running', autostart: true, persistent: true });
    const base = readFileSync(join(rig.pool, 'tiny.qcow2'));
    const foreign = join(rig.pool, 'foreign.qcow2');
    writeFileSync(foreign, 'somebody’s');
    await rig.libvirt.virsh('attach-disk', uuid, foreign, 'vdb', '--config');

    // The same request again is the same job, and nothing else.
    const again = await rig.stack.api<{ job: Job }>('POST', '/api/v1/instances', body);
    expect([again.status, again.body.data?.job.id, again.body.data?.job.state]).toEqual([202, job.id, 'done']);
    const path = `/api/v1/instances/${uuid}`;
    await expect(rig.job('DELETE', `${path}?name=one`)).rejects.toMatchObject({ code: 'wrong-state' });
    await expect(rig.job('DELETE', `${path}?name=One&force=true`)).rejects.toMatchObject({ code: 'bad-name' });
    const gone = await rig.job('DELETE', `${path}?name=one&force=true`);
    expect(gone).toMatchObject({
      state: 'done',
      result: { removed: [join(rig.pool, `${uuid}.qcow2`)], kept: [{ path: foreign, reason: expect.any(String) }] },
    });
    expect(await rig.instances()).toEqual([]);
    expect(await rig.libvirt.virsh('list', '--all', '--name')).toBe('');
    expect(rig.files()).toEqual(['foreign.qcow2', 'tiny.qcow2']);
    expect(readFileSync(join(rig.pool, 'tiny.qcow2')).equals(base)).toBe(true);

    const ofJob = async () => (await rig.stack.get<{ lines: Line[] }>(`/api/v1/logs?job=${job.id}&limit=100`)).lines;
    for (const message of [
      'A host was chosen for a new instance',
      'Disk made',
      'Domain defined',
      'Guest started',
      'Job done',
    ])
      await expect.poll(async () => (await ofJob()).map((line) => line.message)).toContain(message);
    const lines = await ofJob();
    expect(new Set(lines.map((line) => line.instance))).toEqual(new Set([uuid]));
  });

  test('what cannot be made is refused with its reason, and leaves nothing', async () => {
    const refused = async (change: object) => {
      const { status, body } = await rig.stack.api('POST', '/api/v1/instances', { ...small, name: 'two', ...change });
      return [status, body.err];
    };
    expect(await refused({ base: 'unknown' })).toEqual([404, 'not-found']);
    expect(await refused({ network: 'nowhere' })).toEqual([404, 'not-found']);
    expect(await refused({ host: '0'.repeat(32) })).toEqual([404, 'not-found']);
    expect(await refused({ memoryBytes: 2 ** 42 })).toEqual([409, 'no-room']);
    expect(await refused({ diskBytes: 2 ** 49 })).toEqual([409, 'no-room']);
    expect(await refused({ diskBytes: 1024 * 1024 })).toEqual([400, 'bad-request']);
    for (const name of ['1', '', 'UPPER', 'a/b', '-rf', 'a b', 'a\nb', '<x/>', 'aaaaaaaa-0000-4000-8000-000000000001'])
      expect([name, ...(await refused({ name }))]).toEqual([name, 400, 'bad-name']);
    expect(await refused({ vcpus: 0 })).toEqual([400, 'bad-request']);
    expect(await rig.libvirt.virsh('list', '--all', '--name')).toBe('');
    expect(rig.files()).toEqual(['foreign.qcow2', 'tiny.qcow2']);
  });

  test('a name is given once, also when two ask in the same moment', async () => {
    const ask = () => rig.stack.api<{ job: Job }>('POST', '/api/v1/instances', { ...small, name: 'twice' });
    const answers = await Promise.all([ask(), ask()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
    expect(answers.find(({ status }) => status === 409)?.body.err).toBe('name-taken');
    const { job } = answers.find(({ status }) => status === 202)!.body.data!;
    expect(await rig.ended(job.id)).toMatchObject({ state: 'done' });
    expect((await ask()).body.err).toBe('name-taken');
    await rig.job('DELETE', `/api/v1/instances/${job.instance}?name=twice&force=true`);
    // Free again at once.
    const next = (await ask()).body.data!.job;
    expect(await rig.ended(next.id)).toMatchObject({ state: 'done' });
    await rig.job('DELETE', `/api/v1/instances/${next.instance}?name=twice&force=true`);
  });

  test('a start that fails takes back what was made', async () => {
    // libvirt can write no log where a folder has its name.
    const opId = 'launch-no-start';
    mkdirSync(join(rig.consoles, `${instanceIdOf(opId)}.log`));
    const job = await rig.job('POST', '/api/v1/instances', { ...small, name: 'no-start', opId });
    expect(job).toMatchObject({ state: 'failed', error: { code: 'libvirt-failed' } });
    expect(await rig.libvirt.virsh('list', '--all', '--name')).toBe('');
    expect(rig.files()).toEqual(['foreign.qcow2', 'tiny.qcow2']);
    expect(await rig.instances()).toEqual([]);
  });
});
