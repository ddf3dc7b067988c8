import type { ComputeServer, Session } from '../../common/model/compute.ts';
import type { Candidate, Scan } from '../../common/model/discovery.ts';
import type { Host } from '../../common/model/host.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { Job } from '../../common/model/job.ts';
import type { BaseImage } from '../../common/model/resources.ts';
import type { SavedSearch } from '../../common/model/search.ts';
import { visibleText } from '../../common/pure/visible-text.ts';
import { age, percent, size } from './values.ts';

export type Row = (string | number)[];
export interface Noun {
  path: string;
  heading: string[];
  row(item: never, nowMs: number): Row;
}

/** A way by which lines of programs outside come in. */
interface IntakeWay {
  way: string;
  listens: string | null;
  taken: number;
  refused: { count: number }[];
  dropped: { count: number }[];
  sentBack: number;
  lastSeenMs: number | null;
  senders: unknown[];
}
const total = (reasons: { count: number }[]) => reasons.reduce((sum, { count }) => sum + count, 0);

/** What `webvirt ls` knows, in the order in which the help names it. */
export const NOUNS: Record<string, Noun> = {
  hosts: {
    path: '/api/v1/hosts',
    heading: ['NAME', 'STATE', 'SEEN', 'ADDRESS', 'RUNNING', 'INSTANCES', 'CPU', 'MEMORY', 'HYPERVISOR', 'AGENT', 'ID'],
    row: (host: Host, nowMs): Row => [
      visibleText(host.name),
      host.state,
      `${age(host.seenMs, nowMs)} ago`,
      `${host.address}:${host.port}`,
      host.runningCount,
      host.instanceCount,
      percent(host.load?.cpuRatio),
      host.load === null ? size(host.memoryBytes) : `${size(host.load.memoryUsedBytes)} of ${size(host.memoryBytes)}`,
      visibleText(`${host.hypervisor} ${host.hypervisorVersion ?? ''}`.trim()),
      visibleText(host.agentVersion),
      host.id,
    ],
  },
  instances: {
    path: '/api/v1/instances',
    heading: ['NAME', 'STATE', 'HOST', 'VCPUS', 'MEMORY', 'CPU', 'AUTOSTART', 'UUID'],
    row: (instance: Instance): Row => [
      visibleText(instance.name),
      instance.stale ? `${instance.state}?` : instance.state,
      visibleText(instance.hostName),
      instance.vcpus,
      size(instance.memoryBytes),
      percent(instance.load?.cpuRatio),
      instance.autostart ? 'yes' : 'no',
      instance.id,
    ],
  },
  jobs: {
    path: '/api/v1/jobs',
    heading: ['STARTED', 'VERB', 'STATE', 'INSTANCE', 'HOST', 'BY', 'ERROR', 'ID'],
    row: (job: Job, nowMs): Row => [
      `${age(job.createdMs, nowMs)} ago`,
      job.verb,
      job.state,
      visibleText(job.instanceName ?? job.instance ?? ''),
      visibleText(job.hostName ?? job.host ?? ''),
      visibleText(job.actor),
      visibleText(job.error?.message ?? ''),
      job.id,
    ],
  },
  candidates: {
    path: '/api/v1/candidates',
    heading: ['ADDRESS', 'STATE', 'CLAIMS TO BE', 'VERSION', 'SEEN', 'ID'],
    row: (candidate: Candidate, nowMs): Row => [
      `${candidate.address}:${candidate.port}`,
      candidate.vanished ? 'vanished' : candidate.state,
      visibleText(candidate.claimedName ?? ''),
      visibleText(candidate.version ?? ''),
      `${age(candidate.lastSeenMs, nowMs)} ago`,
      candidate.id,
    ],
  },
  scans: {
    path: '/api/v1/scans',
    heading: ['RANGE', 'KIND', 'STATE', 'SCANNED', 'UP', 'AGENTS', 'BY', 'ERROR'],
    row: (scan: Scan): Row => [
      scan.range,
      scan.kind,
      scan.state,
      `${scan.scanned} of ${scan.addresses}`,
      scan.up,
      scan.agents,
      visibleText(scan.actor),
      visibleText(scan.error ?? ''),
    ],
  },
  images: {
    path: '/api/v1/images',
    heading: ['NAME', 'HOST', 'POOL', 'FORMAT', 'SIZE', 'ON DISK', 'USED BY', 'BOOTS', 'FAULT'],
    row: (image: BaseImage & { hostName: string; stale: boolean; usedBy: number }): Row => [
      visibleText(image.name),
      visibleText(image.hostName) + (image.stale ? '?' : ''),
      visibleText(image.pool),
      image.format,
      size(image.virtualBytes),
      size(image.fileBytes),
      image.usedBy,
      image.kernel === undefined ? 'its disk' : 'a kernel',
      visibleText(image.fault ?? ''),
    ],
  },
  searches: {
    path: '/api/v1/searches',
    heading: ['NAME', 'OWNER', 'SHARED', 'FILTER', 'ID'],
    row: (search: SavedSearch): Row => {
      const { q, ...parts } = search.query;
      const words = Object.entries(parts).map(([name, value]) => `${name}=${value}`);
      return [
        visibleText(search.name),
        visibleText(search.owner),
        search.shared ? 'yes' : '',
        visibleText([...words, q].join(' ').trim()),
        search.id,
      ];
    },
  },
  intake: {
    path: '/api/v1/intake',
    heading: ['WAY', 'LISTENS', 'TAKEN', 'REFUSED', 'DROPPED', 'SENT BACK', 'SENDERS', 'HEARD'],
    row: (way: IntakeWay, nowMs): Row => [
      way.way,
      way.listens ?? 'off',
      way.taken,
      total(way.refused),
      total(way.dropped),
      way.sentBack,
      way.senders.length,
      way.lastSeenMs === null ? '' : `${age(way.lastSeenMs, nowMs)} ago`,
    ],
  },
  compute: {
    path: '/api/v1/compute/servers',
    heading: ['HOST', 'STATE', 'KERNELS', 'SESSIONS', 'CONTAINED', 'REASON'],
    row: (server: ComputeServer & { hostName: string; stale: boolean }): Row => [
      visibleText(server.hostName),
      server.stale ? `${server.state}?` : server.state,
      server.kernels.map((kernel) => visibleText(kernel.title)).join(', '),
      server.sessions,
      server.checks.length === 0
        ? ''
        : `${server.checks.filter((check) => check.holds).length} of ${server.checks.length} checks hold`,
      visibleText(server.reason ?? ''),
    ],
  },
  sessions: {
    path: '/api/v1/compute/sessions',
    heading: ['TITLE', 'STATE', 'KERNEL', 'HOST', 'CELLS', 'MEMORY', 'BEGUN', 'BY', 'ENDED BECAUSE', 'ID'],
    row: (session: Session, nowMs): Row => [
      visibleText(session.title),
      session.state,
      session.kernel,
      visibleText(session.hostName),
      session.cells,
      session.memoryBytes === null ? '' : size(session.memoryBytes),
      `${age(session.createdMs, nowMs)} ago`,
      visibleText(session.owner),
      session.death?.cause ?? '',
      session.id,
    ],
  },
};
