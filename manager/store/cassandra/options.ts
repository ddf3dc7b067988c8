import { LEVELS, type Level } from '../../../common/model/line.ts';
import type { StoreFailpoint } from '../failpoint.ts';
import type { KeepSeconds } from './block.ts';
import type { SieveCounts } from './sieve.ts';

/** What the engine needs to know. Times in milliseconds. */
export interface CassandraOptions {
  /** `host` or `host:port`. */
  contactPoints: string[];
  localDataCenter: string;
  keyspace: string;
  /** `3`, or `dc1:3,dc2:2`: the keyspace is made with it when it is not there. Null: it must be there. */
  replication: string | null;
  user?: string | undefined;
  password?: string | undefined;
  /** PEM of the authority of the nodes' certificates; absent: no TLS. */
  ca?: string | undefined;
  /** Name of this manager: the same after a restart, another for each manager of a keyspace. */
  manager: string;
  /** How long lines of each level are kept. */
  keepMs: Record<Level, number>;
  readTimeoutMs?: number;
  requestTimeoutMs?: number;
  nowMs?: () => number;
  /** Called at named points of a commit; tests end the process there. */
  failpoint?: StoreFailpoint;
  /** Counts blocks that searches look at and read whole. */
  counts?: SieveCounts;
  /** What an administrator should know of the cluster. */
  onWarning?: (message: string, fields: Record<string, unknown>) => void;
}

/** The longest time that Cassandra counts is twenty years. */
const LIMIT_SECONDS = 20 * 365 * 86_400;

export function keepSeconds(keepMs: Record<Level, number>): KeepSeconds {
  const seconds = LEVELS.map((level) => [
    level,
    Math.min(LIMIT_SECONDS, Math.max(60, Math.ceil(keepMs[level] / 1_000))),
  ]);
  return Object.fromEntries(seconds) as KeepSeconds;
}
