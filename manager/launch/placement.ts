import type { ErrorCode } from '../../common/errors.ts';
import type { Host } from '../../common/model/host.ts';
import type { Placement } from '../../common/model/job.ts';
import type { HostResources } from '../../common/model/resources.ts';

/** What a new instance needs of its host. Sizes in bytes. */
export interface Needs {
  base: string;
  memoryBytes: number;
  diskBytes?: number | undefined;
  network?: string | undefined;
}

/** A host as placement sees it. */
export interface PlaceCandidate {
  host: Pick<Host, 'id' | 'name' | 'state'>;
  resources: HostResources | null;
  /** Memory that is promised to instances which are being made there and which the host does not count yet. */
  promisedBytes: number;
}

export interface Fault {
  code: ErrorCode;
  reason: string;
}

/** So many hosts that were passed over are named: it is kept in each job. */
const PASSED_NAMED = 64;
/** Beside its memory a guest costs what QEMU itself takes; the agent reckons with the same. */
const OVERHEAD_BYTES = 48 * 1024 * 1024;
/** A clone is thin; with less than this left in the pool none is begun. The agent reckons with the same. */
const DISK_FLOOR_BYTES = 64 * 1024 * 1024;

/** Why an instance cannot be made on a host, or null when it can. */
export function placeFault({ host, resources, promisedBytes }: PlaceCandidate, needs: Needs): Fault | null {
  if (resources === null)
    return host.state === 'online'
      ? { code: 'not-ready', reason: 'it has not said yet what it has' }
      : { code: 'host-unreachable', reason: `it does not answer (${host.state})` };
  const image = resources.images.find(({ name }) => name === needs.base);
  if (image === undefined) return { code: 'not-found', reason: `it has no base image ${needs.base}` };
  if (host.state !== 'online') return { code: 'host-unreachable', reason: `it does not answer (${host.state})` };
  if (resources.domainType === null) return { code: 'libvirt-unavailable', reason: 'its libvirt runs no guests' };
  if (image.fault !== undefined)
    return { code: 'bad-request', reason: `its base image cannot be used: ${image.fault}` };
  const fault = networkFault(resources, needs.network);
  if (fault !== null) return fault;
  const freeBytes = Math.max(0, resources.memoryAvailableBytes - promisedBytes);
  if (needs.memoryBytes + OVERHEAD_BYTES > freeBytes)
    return { code: 'no-room', reason: `it can give ${mib(freeBytes)} of memory, ${mib(needs.memoryBytes)} are needed` };
  const pool = resources.pools.find(({ name }) => name === image.pool);
  if (pool === undefined || pool.fault !== undefined)
    return { code: 'bad-request', reason: `its pool ${image.pool} cannot be used: ${pool?.fault ?? 'it is gone'}` };
  const diskBytes = needs.diskBytes ?? image.virtualBytes;
  if (diskBytes < image.virtualBytes)
    return { code: 'bad-request', reason: `a disk must be at least as large as its base, ${mib(image.virtualBytes)}` };
  if (pool.freeBytes < DISK_FLOOR_BYTES)
    return { code: 'no-room', reason: `its pool ${pool.name} has only ${mib(pool.freeBytes)} left` };
  if (diskBytes > pool.totalBytes)
    return { code: 'no-room', reason: `its pool ${pool.name} has ${mib(pool.totalBytes)} in all, the disk is larger` };
  return null;
}

function networkFault(resources: HostResources, name: string | undefined): Fault | null {
  if (name === undefined) return null;
  const network = resources.networks.find((one) => one.name === name);
  if (network === undefined) return { code: 'not-found', reason: `it has no network or bridge ${name}` };
  return network.active ? null : { code: 'wrong-state', reason: `its ${network.kind} ${name} is not started` };
}

/** The host with most free memory among those that can take it; the fault that is nearest to success when none can. */
export function choosePlace(candidates: readonly PlaceCandidate[], needs: Needs): Placement | Fault {
  const judged = candidates.map((candidate) => ({ candidate, fault: placeFault(candidate, needs) }));
  const fit = judged
    .filter(({ fault }) => fault === null)
    .map(({ candidate }) => ({ ...candidate, freeBytes: freeOf(candidate) }))
    .sort((a, b) => b.freeBytes - a.freeBytes || (a.host.name < b.host.name ? -1 : 1));
  const [best] = fit;
  if (best === undefined)
    return noPlace(
      judged.map(({ candidate, fault }) => ({ candidate, fault: fault! })),
      needs,
    );
  const others = fit
    .slice(1)
    .map(({ host, freeBytes }) => passedOver(host, `it has less free memory, ${mib(freeBytes)}`));
  const unfit = judged.flatMap(({ candidate, fault }) =>
    fault === null ? [] : [passedOver(candidate.host, fault.reason)],
  );
  const among = fit.length === 1 ? 'the only host' : `most free memory of ${fit.length} hosts`;
  return {
    host: best.host.id,
    hostName: best.host.name,
    reason: `${among} with ${needs.base} and room for it: ${mib(best.freeBytes)} free`,
    passed: [...others, ...unfit].slice(0, PASSED_NAMED),
  };
}

/** What would have to change least: room can be made, a host comes back, a base must be brought. */
const NEAREST: readonly ErrorCode[] = ['no-room', 'bad-request', 'wrong-state', 'host-unreachable', 'not-ready'];

function noPlace(judged: readonly { candidate: PlaceCandidate; fault: Fault }[], needs: Needs): Fault {
  const withBase = judged.filter(({ candidate }) =>
    candidate.resources?.images.some(({ name }) => name === needs.base),
  );
  if (withBase.length === 0)
    return { code: 'not-found', reason: `No host has a base image ${needs.base}.${unheard(judged)}` };
  const code = NEAREST.find((one) => withBase.some(({ fault }) => fault.code === one)) ?? withBase[0]!.fault.code;
  const told = withBase.slice(0, 8).map(({ candidate, fault }) => `${candidate.host.name}: ${fault.reason}`);
  return { code, reason: `No host with ${needs.base} can take it. ${told.join('; ')}.` };
}

function unheard(judged: readonly { candidate: PlaceCandidate }[]): string {
  const silent = judged.filter(({ candidate }) => candidate.resources === null).length;
  return silent === 0 ? '' : ` What ${silent} of the hosts have is not known.`;
}

function freeOf({ resources, promisedBytes }: PlaceCandidate): number {
  return Math.max(0, (resources?.memoryAvailableBytes ?? 0) - promisedBytes);
}

function passedOver(host: PlaceCandidate['host'], reason: string) {
  return { host: host.id, hostName: host.name, reason };
}

function mib(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024).toLocaleString('en')} MiB`;
}
