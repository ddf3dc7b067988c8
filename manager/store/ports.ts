import type { Candidate, Scan } from '../../common/model/discovery.ts';
import type { HostFacts } from '../../common/model/host.ts';
import type { AgentInstance } from '../../common/model/instance.ts';
import type { Job } from '../../common/model/job.ts';
import type { SampleSeries } from '../../common/model/sample.ts';
import type { DeliveryStore, DestinationStore, RuleStore } from './ports/alerts.ts';
import type { ComputeStore } from './ports/compute.ts';
import type { KeepStore, SearchStore } from './ports/searches.ts';
import type { SharedVersionStore } from './ports/shared.ts';

export type * from './ports/alerts.ts';
export type { ComputationWrite, ComputeStore, StoredCell, StoredComputation } from './ports/compute.ts';
export type * from './ports/lines.ts';
export type { KeepStore, SearchStore } from './ports/searches.ts';
export type { SharedVersion, SharedVersionStore } from './ports/shared.ts';

export interface SampleRow {
  id: string;
  kind: 'host' | 'instance';
  tsMs: number;
  cpuRatio: number;
  memoryUsedBytes: number;
}

export interface SampleStore {
  append(rows: SampleRow[]): Promise<void>;
  /** Series of the given ids (all of the kind when absent) since `fromMs`, thinned to at most `points` each. */
  series(
    kind: 'host' | 'instance',
    options: { ids?: string[]; fromMs: number; points: number },
  ): Promise<SampleSeries[]>;
}

/** An enrolled host as it is kept: facts are the last ones its agent told. */
export interface StoredHost {
  id: string;
  address: string;
  port: number;
  enrolledMs: number;
  enrolledBy: string;
  agentVersion: string;
  facts: HostFacts | null;
  seenMs: number;
  revokedMs: number | null;
}

export interface HostStore {
  list(): StoredHost[];
  get(id: string): StoredHost | null;
  put(host: StoredHost): void;
}

export interface InstanceStore {
  list(): { host: string; instance: AgentInstance; changedMs: number }[];
  put(host: string, instance: AgentInstance, changedMs: number): void;
  remove(host: string, id: string): void;
}

/** A job with what its replay must be compared with. */
export interface StoredJob extends Job {
  argsHash: string;
  fence: number;
  args: Record<string, unknown>;
}

export interface JobStore {
  /** Inserts, or returns the job that has this id already. Synced to disk before it returns. */
  insert(job: StoredJob): { inserted: boolean; job: StoredJob };
  update(job: StoredJob): void;
  get(id: string): StoredJob | null;
  /** Newest first. */
  list(options: { limit: number; beforeMs?: number; instance?: string; host?: string; state?: string }): StoredJob[];
  unfinished(): StoredJob[];
  /** Forgets jobs that were made before this time and do not run any more; answers how many. */
  removeEnded(beforeMs: number): number;
  /** Next fencing token of an instance: grows by one at each call, for ever. */
  nextFence(instance: string): number;
}

export interface StoredMember {
  email: string;
  role: 'admin' | 'service';
  /** `scrypt$N$r$p$salt$hash`, base64url. */
  passwordHash: string;
}

export interface StoredSession {
  /** SHA-256 of the cookie's value. */
  idHash: string;
  email: string;
  csrfToken: string;
  createdMs: number;
  seenMs: number;
  expiresMs: number;
}

export interface StoredToken {
  id: string;
  tokenHash: string;
  name: string;
  owner: string;
  role: 'admin' | 'service';
  createdMs: number;
  expiresMs: number | null;
  lastUsedMs: number | null;
}

export interface AccountStore {
  members(): StoredMember[];
  member(email: string): StoredMember | null;
  putMember(member: StoredMember): void;
  putSession(session: StoredSession): void;
  session(idHash: string): StoredSession | null;
  removeSession(idHash: string): void;
  removeExpired(nowMs: number): number;
  putToken(token: StoredToken): void;
  tokenByHash(hash: string): StoredToken | null;
  tokens(owner: string): StoredToken[];
  /** True when there was such a token of this owner. */
  removeToken(id: string, owner: string): boolean;
  touchToken(id: string, usedMs: number): void;
}

export interface CandidateStore {
  list(): Candidate[];
  get(id: string): Candidate | null;
  put(candidate: Candidate): void;
  remove(id: string): void;
}

export interface ScanStore {
  list(limit: number): Scan[];
  get(id: string): Scan | null;
  put(scan: Scan): void;
}

export interface StoredEnrolToken {
  id: string;
  /** The secret itself: the HMAC of the agent's request is checked with it. Removed once used or expired. */
  secret: string;
  /** Agent id it is bound to; null: any agent (local start, automation). */
  agent: string | null;
  createdBy: string;
  createdMs: number;
  expiresMs: number;
  usedMs: number | null;
  usedBy: string | null;
}

export interface EnrolTokenStore {
  put(token: StoredEnrolToken): void;
  get(id: string): StoredEnrolToken | null;
  /** Marks the token used in one transaction; false when it was used, expired or unknown: the caller alarms. */
  use(id: string, agent: string, nowMs: number): boolean;
}

/** Small values by name: CA serial numbers, flags of the first start. */
export interface SettingStore {
  get(name: string): string | null;
  put(name: string, value: string): void;
}

/** Everything of `manager/store/sqlite/`: one file, WAL, synchronous=FULL. */
export interface StateStore {
  hosts: HostStore;
  instances: InstanceStore;
  jobs: JobStore;
  accounts: AccountStore;
  candidates: CandidateStore;
  scans: ScanStore;
  enrolTokens: EnrolTokenStore;
  settings: SettingStore;
  rules: RuleStore;
  destinations: DestinationStore;
  deliveries: DeliveryStore;
  searches: SearchStore;
  keeps: KeepStore;
  sharedVersions: SharedVersionStore;
  /** A file of its own, `compute.sqlite`: outputs are large, and losing them must not cost the accounts. */
  compute: ComputeStore;
  /** Runs many small writes as one transaction: one sync to disk instead of one each. What it throws undoes all. */
  together(work: () => void): void;
  close(): void;
}
