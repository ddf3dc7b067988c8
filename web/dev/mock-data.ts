// Invented data for developing and testing the console alone. Nothing here is shipped.
import { createHash, randomUUID } from 'node:crypto';
import type { Candidate, Scan } from '../../common/model/discovery.ts';
import type { Host } from '../../common/model/host.ts';
import type { Instance, InstanceState } from '../../common/model/instance.ts';
import type { Job } from '../../common/model/job.ts';
import type { LedgerEntry } from '../../common/model/ledger.ts';
import type { Line } from '../../common/model/line.ts';
import type { SavedSearch } from '../../common/model/search.ts';
import { createLedger } from './mock-ledger.ts';
import { createImages, type MockImage } from './mock-resources.ts';
import { inventedSearches } from './mock-searches.ts';

export interface World {
  hosts: Host[];
  instances: Instance[];
  jobs: Job[];
  candidates: Candidate[];
  scans: Scan[];
  lines: Line[];
  images: MockImage[];
  ledger: LedgerEntry[];
  searches: SavedSearch[];
}

const GIB = 1024 ** 3;
const HOST_NAMES = ['alder', 'birch', 'cedar', 'damson', 'elm', 'fir', 'gorse', 'hazel'];
const ROLES = [
  'web',
  'db',
  'cache',
  'build',
  'mail',
  'queue',
  'dns',
  'git',
  'ci-runner',
  'registry',
  'metrics',
  'proxy',
];
const STATES: InstanceState[] = [
  'running',
  'running',
  'running',
  'running',
  'running',
  'shutoff',
  'running',
  'paused',
  'running',
  'saved',
  'running',
  'running',
  'crashed',
];
export const idOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32);

function hostOf(index: number, nowMs: number): Host {
  const name = index < HOST_NAMES.length ? HOST_NAMES[index]! : `node-${index}`;
  const away = index === 4 ? 'lost' : index === 6 ? 'stale' : 'online';
  return {
    id: idOf(name),
    name,
    address: `10.77.${Math.floor(index / 200)}.${(index % 200) + 10}`,
    port: 4601,
    state: away,
    os: 'Debian GNU/Linux 12 (bookworm)',
    kernel: '6.1.0-28-amd64',
    cpus: 16,
    memoryBytes: 64 * GIB,
    bootMs: nowMs - 12.3 * 86_400_000,
    agentVersion: '0.1.0',
    hypervisor: index === 3 ? 'test' : 'qemu',
    hypervisorVersion: index === 3 ? '' : '7.2.13',
    libvirtUri: index === 3 ? 'test:///default' : 'qemu:///system',
    libvirtAnswers: index !== 5,
    ...(index === 3
      ? {
          limited:
            'No libvirt daemon could be reached, so libvirt’s own test driver is shown. Install libvirt-daemon-system and restart the agent.',
        }
      : {}),
    seenMs: away === 'online' ? nowMs : nowMs - (away === 'lost' ? 754_000 : 14_000),
    stateSinceMs: nowMs - 8_000_000,
    clockOffsetMs: index === 2 ? 3_400 : 12,
    load: {
      tsMs: nowMs,
      cpuRatio: 0.12 + 0.11 * (index % 8),
      load1: 1.2 + index,
      memoryUsedBytes: (14 + 5.5 * (index % 9)) * GIB,
    },
    instanceCount: 0,
    runningCount: 0,
    spoolLines: away === 'online' ? 0 : 1_840,
  };
}

export function createWorld(options: { hosts: number; instances: number; nowMs: number }): World {
  const { nowMs } = options;
  const hosts = Array.from({ length: options.hosts }, (_, index) => hostOf(index, nowMs));
  const instances = Array.from({ length: options.instances }, (_, index): Instance => {
    const host = hosts[index % hosts.length]!;
    const state = STATES[index % STATES.length]!;
    const memoryBytes = [1, 2, 4, 8, 16][index % 5]! * GIB;
    host.instanceCount += 1;
    if (state === 'running') host.runningCount += 1;
    return {
      id: randomUUID(),
      name: `${ROLES[index % ROLES.length]}-${Math.floor(index / ROLES.length) + 1}`,
      state,
      stateReason: state === 'crashed' ? 'panicked' : 'booted',
      vcpus: [1, 2, 4, 8][index % 4]!,
      memoryBytes,
      autostart: index % 3 === 0,
      persistent: true,
      disks: [
        {
          target: 'vda',
          source: `/var/lib/libvirt/images/${ROLES[index % ROLES.length]}.qcow2`,
          device: 'disk',
          format: 'qcow2',
        },
      ],
      nics: [{ mac: '52:54:00:3a:91:07', type: 'network', source: 'default', model: 'virtio' }],
      host: host.id,
      hostName: host.name,
      hostState: host.state,
      stale: host.state !== 'online',
      changedMs: nowMs - (index + 1) * 431_000,
      load:
        state === 'running'
          ? {
              tsMs: nowMs,
              cpuRatio: ((index * 37) % 100) / 110,
              memoryUsedBytes: memoryBytes * (0.3 + ((index * 13) % 60) / 100),
              diskReadBps: 120_000,
              diskWriteBps: 2_400_000,
              netRxBps: 81_000,
              netTxBps: 60_000,
            }
          : null,
      busyJob: null,
    };
  });
  const jobs: Job[] = [
    job('migrate', 'running', instances[0]!, nowMs - 42_000, {
      ...{ progress: 0.62, target: hosts.at(1)?.id ?? '', targetName: hosts.at(1)?.name ?? '' },
      detail: {
        ...{ phase: 'copies memory', elapsedMs: 42_000, totalBytes: 4 * GIB, processedBytes: 2.8 * GIB },
        ...{ remainingBytes: 1.2 * GIB, rateBps: 112 * 1024 ** 2, dirtyRateBps: 18 * 1024 ** 2, rounds: 2 },
      },
    }),
    job('start', 'done', instances[5]!, nowMs - 320_000, {}),
    job('shutdown', 'failed', instances[2]!, nowMs - 900_000, {
      error: { code: 'timeout', message: `${instances[2]!.name} did not shut down within 90 s; it is still running.` },
    }),
    job('save', 'unknown', instances[3]!, nowMs - 4_000_000, {
      error: { code: 'host-unreachable', message: 'The host was lost while the job ran.' },
    }),
  ];
  const candidates: Candidate[] = [
    candidate('10.77.0.41', 'juniper', 'unenrolled', nowMs),
    candidate('10.77.0.42', 'larch', 'enrolled-elsewhere', nowMs),
    {
      ...candidate('10.77.0.1', null, 'not-an-agent', nowMs),
      product: 'OpenSSH',
      version: '9.2',
      detail: 'something else listens on the agent port',
    },
  ];
  const scans: Scan[] = [
    {
      id: 's2',
      kind: 'whole',
      range: '10.77.0.0/24',
      state: 'done',
      actor: 'schedule',
      startedMs: nowMs - 61_000,
      endedMs: nowMs - 60_800,
      addresses: 254,
      scanned: 254,
      up: 12,
      agents: 10,
      error: null,
    },
    {
      id: 's1',
      kind: 'known',
      range: '10.77.0.0/24',
      state: 'done',
      actor: 'schedule',
      startedMs: nowMs - 91_000,
      endedMs: nowMs - 90_900,
      addresses: 8,
      scanned: 8,
      up: 7,
      agents: 7,
      error: null,
    },
  ];
  return {
    hosts,
    instances,
    jobs,
    candidates,
    scans,
    lines: [],
    images: createImages(hosts),
    ledger: createLedger(hosts, nowMs),
    searches: inventedSearches(nowMs),
  };
}

function candidate(address: string, claimedName: string | null, state: Candidate['state'], nowMs: number): Candidate {
  return {
    address,
    port: 4601,
    id: idOf(address),
    state,
    product: 'webvirt-agent',
    version: '0.1.0',
    claimedName,
    detail: null,
    firstSeenMs: nowMs - 3_600_000,
    lastSeenMs: nowMs - 60_000,
    vanished: false,
  };
}

export function job(verb: string, state: Job['state'], instance: Instance, createdMs: number, more: Partial<Job>): Job {
  const ended = state !== 'running' && state !== 'planned';
  return {
    id: randomUUID(),
    verb,
    state,
    progress: null,
    instance: instance.id,
    instanceName: instance.name,
    host: instance.host,
    hostName: instance.hostName,
    actor: 'admin@localhost',
    createdMs,
    startedMs: createdMs + 20,
    endedMs: ended ? createdMs + 2_300 : null,
    error: null,
    result: null,
    ...more,
  };
}
