import Backbone from 'backbone';
import type { Candidate, Scan } from '../../../common/model/discovery.ts';
import type { Host } from '../../../common/model/host.ts';
import type { Instance } from '../../../common/model/instance.ts';
import type { Job } from '../../../common/model/job.ts';
import type { BaseImage, HostResources } from '../../../common/model/resources.ts';
import { byName } from './by-name.ts';
import { Ledger } from './ledger.ts';
import { Rules } from './rules.ts';
import { SavedSearches } from './saved-searches.ts';

// To add a noun: a model and a collection here, its URI in `createModels`, and nothing else; the feed keeps it in step.

export class HostModel extends Backbone.Model<Host> {}
const WITHOUT_LOAD = new Set(['shutoff', 'saved', 'crashed']);

export class InstanceModel extends Backbone.Model<Instance> {
  /** Its load now; null while it does not run, whatever was measured last. */
  loadNow(): Instance['load'] {
    return WITHOUT_LOAD.has(this.get('state')!) ? null : (this.get('load') ?? null);
  }
}
export class CandidateModel extends Backbone.Model<Candidate> {}
export class ScanModel extends Backbone.Model<Scan> {}

const ENDED = new Set(['done', 'failed', 'cancelled', 'unknown']);

export class JobModel extends Backbone.Model<Job> {
  /** True once nothing more will happen by itself. */
  ended(): boolean {
    return ENDED.has(this.get('state')!);
  }
}

export class Hosts extends Backbone.Collection<HostModel> {
  override preinitialize(): void {
    this.model = HostModel;
    this.comparator = (a: HostModel, b: HostModel) => byName(a.get('name')!, b.get('name')!);
  }
}

export class Instances extends Backbone.Collection<InstanceModel> {
  override preinitialize(): void {
    this.model = InstanceModel;
  }
}

export class Jobs extends Backbone.Collection<JobModel> {
  override preinitialize(): void {
    this.model = JobModel;
    this.comparator = (a: JobModel, b: JobModel) => b.get('createdMs')! - a.get('createdMs')!;
  }

  active(): JobModel[] {
    return this.filter((job) => !job.ended());
  }
}

export class Candidates extends Backbone.Collection<CandidateModel> {
  override preinitialize(): void {
    this.model = CandidateModel;
  }

  /** Agents that nobody has enrolled: what waits for the admin. */
  waiting(): CandidateModel[] {
    return this.filter((candidate) => candidate.get('state') === 'unenrolled' && !candidate.get('vanished'));
  }

  /**
   * What an admin should see: all but our own agents, and but "not an agent" at a place where an agent is listed too
   * (it did not answer while it started, or moved in later).
   */
  inbox(): CandidateModel[] {
    const placeOf = (candidate: CandidateModel) => `${candidate.get('address')} ${candidate.get('port')}`;
    const agents = new Set(
      this.filter((one) => one.get('state') !== 'not-an-agent' && !one.get('vanished')).map(placeOf),
    );
    return this.filter((candidate) => {
      const state = candidate.get('state');
      return state !== 'enrolled-here' && !(state === 'not-an-agent' && agents.has(placeOf(candidate)));
    });
  }
}

export class Scans extends Backbone.Collection<ScanModel> {
  override preinitialize(): void {
    this.model = ScanModel;
    this.comparator = (a: ScanModel, b: ScanModel) =>
      (b.get('startedMs') ?? Infinity) - (a.get('startedMs') ?? Infinity);
  }
}

/** A base image on one host. The same name may be on many hosts. */
export type ImageRow = BaseImage & { host: string; hostName: string; stale: boolean; usedBy: number };
export class ImageModel extends Backbone.Model<ImageRow> {}

/** Which row of the list of base images this is. */
export const imageKey = (image: Pick<ImageRow, 'host' | 'name'>) => `${image.host}/${image.name}`;

export class Images extends Backbone.Collection<ImageModel> {
  declare loaded: boolean;

  override preinitialize(): void {
    this.model = ImageModel;
    this.comparator = (a: ImageModel, b: ImageModel) =>
      byName(a.get('name')!, b.get('name')!) || byName(a.get('hostName')!, b.get('hostName')!);
    this.loaded = false;
  }

  override initialize(): void {
    this.once('loaded', () => {
      this.loaded = true;
    });
  }

  override modelId(attributes: ImageRow): string {
    return imageKey(attributes);
  }
}

/** Pools, base images and networks of one host. `fault`: why they cannot be read, while nothing is known. */
export type ResourcesRow = HostResources & { host: string; hostName: string; stale: boolean; fault?: string };
export class ResourcesModel extends Backbone.Model<Partial<ResourcesRow>> {}

/** By host; only of hosts that somebody looks at. */
export class Resources extends Backbone.Collection<ResourcesModel> {
  override preinitialize(): void {
    this.model = ResourcesModel;
  }

  override modelId(attributes: { host: string }): string {
    return attributes.host;
  }
}

export interface Models {
  images: Images;
  resources: Resources;
  hosts: Hosts;
  instances: Instances;
  jobs: Jobs;
  candidates: Candidates;
  scans: Scans;
  ledger: Ledger;
  searches: SavedSearches;
  rules: Rules;
}

/** All nouns of the console, empty. */
export function createModels(): Models {
  return {
    images: new Images(),
    ledger: new Ledger(),
    resources: new Resources(),
    hosts: new Hosts(),
    instances: new Instances(),
    jobs: new Jobs(),
    candidates: new Candidates(),
    scans: new Scans(),
    searches: new SavedSearches(),
    rules: new Rules(),
  };
}

/** Which list of the API fills which collection; asked for in this order. */
export function listsOf(models: Models): Record<string, Backbone.Collection> {
  return {
    '/api/v1/instances': models.instances,
    '/api/v1/hosts': models.hosts,
    '/api/v1/jobs': models.jobs,
    '/api/v1/candidates': models.candidates,
    '/api/v1/scans': models.scans,
    '/api/v1/searches': models.searches,
    '/api/v1/rules': models.rules,
  };
}
