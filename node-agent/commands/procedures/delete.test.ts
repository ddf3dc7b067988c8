import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebvirtError } from '../../../common/errors.ts';
import type { AgentInstance } from '../../../common/model/instance.ts';
import { type ProcedureRig, procedureRig, VM } from '../../../test/support/procedure-rig.ts';
import { run } from '../../../test/support/run.ts';
import { createQemuImg } from '../../resources/qemu-img.ts';
import { createDelete } from './delete.ts';
import { domainXml } from './launch-xml.ts';
import { createRemovals } from './removals.ts';

// A deletion with a real disk and a libvirt that knows one instance.
let rig: ProcedureRig;
let disk: string;
let domain: AgentInstance | null;

beforeEach(async () => {
  rig = procedureRig();
  disk = join(rig.pool, `${VM}.qcow2`);
  domain = { id: VM, name: 'web', state: 'shutoff' } as AgentInstance;
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '--', disk, '1M']);
});
afterEach(() => rig.stop());

const hypervisor = {
  observe: async () => domain,
  async run(words: readonly string[]) {
    if (words[0] === 'undefine') domain = null;
    const plan = { uuid: VM, name: 'web', type: 'qemu' as const, arch: 'x86_64', vcpus: 1, memoryBytes: 2 ** 25 };
    const stdout =
      words[0] === 'dumpxml' ? domainXml({ ...plan, diskPath: disk, consoleLog: '/c', network: null }) : '';
    return { ended: 'exit' as const, code: 0, signal: null, stdout, stderr: '' };
  },
};
const remove = (fault?: WebvirtError) => {
  const qemuImg = createQemuImg('qemu-img');
  if (fault !== undefined) qemuImg.mustBeClosed = () => Promise.reject(fault);
  const removals = createRemovals(join(rig.folder, 'removals'));
  const procedure = createDelete({ ...rig, qemuImg, removals, consoleLogDir: join(rig.folder, 'c') });
  return rig.run(procedure, {}, hypervisor);
};
const isThere = () => [domain !== null, existsSync(disk)];

test('an instance goes with the disk that was made for it', async () => {
  expect(await remove()).toMatchObject({ state: 'done', result: { removed: [disk] } });
  expect(isThere()).toEqual([false, false]);
});

test('the log of its console goes with the older parts of it, and nobody else’s', async () => {
  const logs = join(rig.folder, 'c');
  mkdirSync(logs);
  const others = [`${VM}.log.note`, `${VM}.logs`, 'bbbbbbbb-0000-4000-8000-00000000000b.log'];
  for (const name of [`${VM}.log`, `${VM}.log.0`, `${VM}.log.12`, ...others]) writeFileSync(join(logs, name), '');
  expect(await remove()).toMatchObject({ state: 'done' });
  expect(readdirSync(logs).sort()).toEqual(others.sort());
});

test.each(['in-use', 'timeout', 'missing-program'] as const)(
  'a disk that is in use, or of which that cannot be told (%s), is not removed',
  async (code) => {
    expect(await remove(new WebvirtError(code))).toMatchObject({ state: 'failed', error: { code } });
    expect(isThere()).toEqual([true, true]);
  },
);

test('a disk that is no image any more is nobody’s, and goes', async () => {
  expect(await remove(new WebvirtError('bad-request', 'not in qcow2 format'))).toMatchObject({ state: 'done' });
  expect(isThere()).toEqual([false, false]);
});
