import { expect, test } from 'vitest';
import type { Host } from '../../common/model/host.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { SourceFacts, TargetFacts } from '../../common/wire/migration.ts';
import { createGather } from './gather.ts';

// What is asked of whom, and in which order.

const look = { state: null, reason: null, persistent: false, autostart: false, busy: false, completed: null };
const cpu = { arch: 'x86_64', vendor: 'AMD', model: 'EPYC', features: [] };
const source: SourceFacts = {
  look: { ...look, state: 'running', persistent: true },
  needs: {
    ...{ name: 'web1', domainType: 'kvm', arch: 'x86_64', machine: 'q35', emulator: null, memoryBytes: 1, vcpus: 1 },
    ...{ cpu: { mode: 'custom', model: 'EPYC' }, files: [], remoteDisks: 0, networks: [], ties: [] },
  },
  ...{ files: [], cpu, hostUuid: 'u1' },
};
const target = (peerUri: string): TargetFacts => ({
  ...{
    peerUri,
    look,
    nameTakenBy: null,
    memoryAvailableBytes: 2 ** 30,
    cpus: 1,
    runs: { ok: true, text: '' },
    cpuModels: null,
  },
  ...{ cpu, emulatorThere: true, networks: [], files: [], hostUuid: 'u2' },
});
const host = (id: string, address: string) =>
  ({ id, name: id, address, state: 'online', libvirtAnswers: true, clockOffsetMs: 0 }) as Host;
const [one, two] = [host('h1', '10.0.0.1'), host('h2', '10.0.0.2')];
const instance = { id: 'i', name: 'web1', state: 'running', busyJob: null, persistent: true } as Instance;
const how = { live: true, tunnelled: false, copyStorage: false };

function world() {
  const asked: string[] = [];
  let told = 'qemu+tls://{address}/system';
  const gather = createGather({
    inventory: {} as never,
    link: { connected: () => true, send: () => true },
    async ask(hostId, _what, args) {
      const { side, uri } = args as { side: string; uri?: string };
      asked.push(`${hostId} ${side}${uri === undefined ? '' : ` ${uri}`}`);
      if (side === 'source') return source;
      return side === 'peer' ? { reached: true, hostUuid: 'u2', text: '' } : target(told);
    },
  });
  return {
    asked,
    gather,
    tells: (uri: string) => {
      told = uri;
    },
  };
}

test('the way to a target is tried while it is asked, once it is known', async () => {
  const { asked, gather } = world();
  const uri = 'qemu+tls://10.0.0.2/system';
  expect(await gather.one(instance, one, two, how)).toMatchObject({ uri, checks: { movable: true } });
  expect(asked.splice(0)).toEqual(['h1 source', 'h2 target', `h1 peer ${uri}`]);
  expect(await gather.one(instance, one, two, how)).toMatchObject({ uri, checks: { movable: true } });
  expect(asked).toEqual(['h1 source', `h1 peer ${uri}`, 'h2 target']);
});

test('only the way that it names now counts: one that it named before is not taken for it', async () => {
  const { asked, gather, tells } = world();
  await gather.one(instance, one, two, how);
  asked.length = 0;
  tells('qemu+ssh://{address}/system');
  const uri = 'qemu+ssh://10.0.0.2/system';
  expect(await gather.one(instance, one, two, how)).toMatchObject({ uri, checks: { movable: true } });
  expect(asked.at(-1)).toBe(`h1 peer ${uri}`);
  // Where the host is now decides, not where it was.
  asked.length = 0;
  await gather.one(instance, one, { ...two, address: '10.0.0.9' }, how);
  expect(asked).toContain('h1 peer qemu+ssh://10.0.0.9/system');
  expect(asked.join()).not.toContain('10.0.0.2');
});
