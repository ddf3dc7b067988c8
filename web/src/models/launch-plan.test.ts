import { describe, expect, it } from 'vitest';
import {
  baseChoices,
  bytesOf,
  hostChoices,
  type LaunchForm,
  launchFaults,
  launchRequest,
  likeliestHost,
  networkChoices,
  type PlanHost,
  type PlanImage,
  suggestName,
} from './launch-plan.ts';

const GIB = 1024 ** 3;
const image = (name: string, host: string, more: Partial<PlanImage> = {}): PlanImage => ({
  ...{ name, host, hostName: host, pool: 'images', format: 'qcow2', virtualBytes: 10 * GIB },
  ...more,
});
const host = (id: string, freeGib: number, more: Partial<PlanHost> = {}): PlanHost => ({
  ...{ id, name: id, state: 'online', cpus: 8, freeMemoryBytes: 1 },
  resources: {
    ...{ memoryAvailableBytes: freeGib * GIB, domainType: 'kvm' },
    pools: [{ name: 'images', freeBytes: GIB, totalBytes: 2 * GIB }],
    networks: [
      { name: 'default', active: true },
      { name: `only-${id}`, active: id !== 'b' },
    ],
  },
  ...more,
});
const form = (more: Partial<LaunchForm> = {}): LaunchForm => ({
  ...{ base: 'debian', name: 'web-1', host: '', vcpus: '2', memory: '2', memoryUnit: 'GiB', disk: '' },
  ...{ network: 'default', autostart: false },
  ...more,
});
const images = [
  image('debian', 'a'),
  image('debian', 'b', { fault: 'gone' }),
  image('sage', 'b'),
  image('debian', 'c'),
];
const hosts = [host('a', 8), host('b', 99), host('c', 16)];
const faultsOf = (one: LaunchForm, taken = new Map<string, string>(), all = hosts) =>
  launchFaults(
    one,
    baseChoices(images).find(({ name }) => name === one.base) ?? null,
    hostChoices(images, all, one),
    taken,
  );

describe('base images', () => {
  it('of one name are one choice, usable where it is whole', () => {
    expect(baseChoices(images).map(({ name, hostNames, fault }) => [name, hostNames, fault])).toEqual([
      ['debian', ['a', 'c'], null],
      ['sage', ['b'], null],
    ]);
    expect(baseChoices([image('x', 'a', { fault: 'The file is gone' })])[0]!.fault).toBe('The file is gone');
  });
});

describe('the host', () => {
  it('that is chosen for the reader has most free memory among those that can', () => {
    const choices = hostChoices(images, hosts, form());
    expect(choices.map(({ id, why }) => [id, why])).toEqual([
      ['a', null],
      ['b', 'gone'],
      ['c', null],
    ]);
    expect(likeliestHost(choices)?.id).toBe('c');
    expect(likeliestHost(choices, hosts, 'only-a')?.id).toBe('a');
  });

  it('says why it cannot: away, no guests, too little memory with what QEMU takes', () => {
    const all = [host('a', 2), host('b', 99), host('c', 16, { state: 'lost' })];
    expect(hostChoices(images, all, form()).map(({ why }) => why)).toEqual([
      'not enough free memory',
      'gone',
      'the host is lost',
    ]);
    expect(faultsOf(form(), undefined, all).host).toBe('No host can take it now');
    expect(faultsOf(form({ host: 'a' }), undefined, all).host).toContain('not enough free memory');
    expect(faultsOf(form({ host: 'c', disk: '20' })).host).toContain('larger than its pool');
    expect(faultsOf(form({ host: 'nowhere' })).host).toContain('no such image');
  });

  it('has networks; with none chosen, those of all that can, with how many have each', () => {
    const choices = hostChoices(images, hosts, form());
    expect(networkChoices(choices, hosts, '')).toEqual([
      { name: 'default', onHosts: 2, ofHosts: 2 },
      { name: 'only-a', onHosts: 1, ofHosts: 2 },
      { name: 'only-c', onHosts: 1, ofHosts: 2 },
    ]);
    expect(networkChoices(choices, hosts, 'a').map(({ name }) => name)).toEqual(['default', 'only-a']);
  });
});

describe('the form', () => {
  it('is checked as it is typed, each fault at its field', () => {
    expect(faultsOf(form())).toEqual({});
    expect(faultsOf(form({ name: '42', vcpus: '0', memory: 'x', disk: '1' }))).toEqual({
      name: 'A name of digits only would be taken for the id of another instance',
      vcpus: 'A whole number, at least 1',
      memory: 'A number, such as 2 or 0.5',
      disk: 'Smaller than the base image',
    });
    expect(faultsOf(form(), new Map([['web-1', 'b (shutoff)']])).name).toBe(
      'There is an instance of this name on b (shutoff)',
    );
    expect(faultsOf(form({ base: '' })).base).toBe('Choose a base image');
  });

  it('becomes a call without what was left open', () => {
    expect(launchRequest(form({ network: '', memory: '1,5' }))).toEqual({
      ...{ name: 'web-1', base: 'debian', vcpus: 2, memoryBytes: 1.5 * GIB, autostart: false },
    });
    expect(launchRequest(form({ host: 'a', memory: '512', memoryUnit: 'MiB', disk: '20', autostart: true }))).toEqual({
      ...{ name: 'web-1', base: 'debian', host: 'a', vcpus: 2, memoryBytes: GIB / 2, diskBytes: 20 * GIB },
      ...{ network: 'default', autostart: true },
    });
  });

  it('takes numbers as people type them, and nothing else', () => {
    expect([' 2 ', '0.5', '0,5', '', '-1', '1e3', '2G'].map((text) => bytesOf(text, 100))).toEqual([
      200,
      50,
      50,
      null,
      null,
      null,
      null,
    ]);
  });

  it('suggests a name that is free and allowed', () => {
    expect(suggestName('debian', new Set())).toBe('debian-1');
    expect(suggestName('debian', new Set(['debian-1', 'debian-2']))).toBe('debian-3');
    expect(suggestName('x'.repeat(63), new Set()).length).toBeLessThanOrEqual(63);
  });
});
