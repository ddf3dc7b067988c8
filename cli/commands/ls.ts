import { WebvirtError } from '../../common/errors.ts';
import type { Candidate, Scan } from '../../common/model/discovery.ts';
import type { Host } from '../../common/model/host.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { Job } from '../../common/model/job.ts';
import { visibleText } from '../../common/pure/visible-text.ts';
import { request } from '../net/request.ts';
import { jsonText } from '../show/json-text.ts';
import { table } from '../show/table.ts';
import { age, percent, size } from '../show/values.ts';
import type { CliCommand } from './command.ts';

type Row = (string | number)[];
interface Noun {
  path: string;
  heading: string[];
  row(item: never, nowMs: number): Row;
}

const NOUNS: Record<string, Noun> = {
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
};

export const ls: CliCommand = {
  words: ['ls'],
  usage: 'webvirt ls [hosts|instances|jobs|candidates|scans]',
  summary: 'List hosts, instances (when nothing is said), jobs, candidates or scans.',
  async run({ config, args, json, out, note }) {
    const word = args[0] ?? 'instances';
    const noun = Object.hasOwn(NOUNS, word) ? NOUNS[word]! : null;
    if (noun === null || args.length > 1) {
      throw new WebvirtError(
        'bad-request',
        `webvirt ls knows ${Object.keys(NOUNS).join(', ')}; not "${args.join(' ')}".`,
      );
    }
    const list = await request<never[]>(config, 'GET', noun.path);
    if (json) {
      out(jsonText(list, 2));
      return 0;
    }
    if (list.length === 0) note(`No ${word} yet.`);
    else
      out(
        table(
          noun.heading,
          list.map((item) => noun.row(item, Date.now())),
        ),
      );
    return 0;
  },
};
