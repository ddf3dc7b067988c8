import cassandra from 'cassandra-driver';
import { isWebvirtError, WebvirtError } from '../../../common/errors.ts';

export type Row = cassandra.types.Row;
export type Values = unknown[];
export interface Statement {
  query: string;
  params: Values;
}

export interface SessionOptions {
  /** `host` or `host:port`. */
  contactPoints: string[];
  localDataCenter: string;
  user?: string | undefined;
  password?: string | undefined;
  /** PEM of the authority that signed the nodes' certificates; absent: no TLS. */
  ca?: string | undefined;
  /** How long one request may take. */
  requestTimeoutMs?: number;
}

/** What the engine asks of the driver. Every error comes out as `store-unavailable`. */
export interface Session {
  client: cassandra.Client;
  /** A prepared statement at LOCAL_QUORUM that may be sent again without harm. */
  run(query: string, params: Values): Promise<Row[]>;
  /** A statement with a condition; a read of rows that such statements change. Not repeated by the driver. */
  decide(query: string, params: Values): Promise<Row[]>;
  /** One unlogged batch; all statements are for one partition. */
  together(statements: Statement[]): Promise<void>;
  /** Rows page by page; `pageRows` may be chosen by the page before. */
  pages(query: string, params: Values, pageRows: number | ((before: Row[]) => number)): AsyncGenerator<Row[]>;
  close(): Promise<void>;
}

const { consistencies } = cassandra.types;
const REQUEST_TIMEOUT_MS = 8_000;
/** An outage ends when the next try succeeds: the pause between tries is what is added to it. */
const RECONNECT_MS = 500;

export async function connect(options: SessionOptions): Promise<Session> {
  const client = new cassandra.Client({
    contactPoints: options.contactPoints,
    localDataCenter: options.localDataCenter,
    ...(options.user === undefined
      ? {}
      : { credentials: { username: options.user, password: options.password ?? '' } }),
    ...(options.ca === undefined ? {} : { sslOptions: { ca: [options.ca], rejectUnauthorized: true } }),
    queryOptions: { consistency: consistencies.localQuorum, prepare: true },
    policies: { reconnection: new cassandra.policies.reconnection.ConstantReconnectionPolicy(RECONNECT_MS) },
    socketOptions: { connectTimeout: 3_000, readTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS },
    pooling: { heartBeatInterval: 5_000 },
  });
  try {
    await client.connect();
  } catch (error) {
    await client.shutdown().catch(() => undefined);
    throw unavailable(error);
  }
  const execute = async (query: string, params: Values, more: cassandra.QueryOptions) => {
    try {
      return await client.execute(query, params, { prepare: true, ...more });
    } catch (error) {
      throw unavailable(error);
    }
  };
  return {
    client,
    run: async (query, params) => (await execute(query, params, { isIdempotent: true })).rows ?? [],
    async decide(query, params) {
      const serial = { serialConsistency: consistencies.localSerial };
      // A read at a serial level ends decisions that are under way: what it answers stays true.
      if (query.startsWith('SELECT'))
        return (await execute(query, params, { consistency: consistencies.localSerial })).rows ?? [];
      return (await execute(query, params, { ...serial, isIdempotent: false })).rows ?? [];
    },
    async together(statements) {
      try {
        await client.batch(statements, { prepare: true, logged: false, isIdempotent: true });
      } catch (error) {
        throw unavailable(error);
      }
    },
    async *pages(query, params, pageRows) {
      let pageState: string | undefined;
      let before: Row[] = [];
      do {
        const result = await execute(query, params, {
          isIdempotent: true,
          fetchSize: typeof pageRows === 'number' ? pageRows : pageRows(before),
          ...(pageState === undefined ? {} : { pageState }),
        });
        before = result.rows;
        yield before;
        pageState = result.pageState ?? undefined;
      } while (pageState !== undefined);
    },
    close: () => client.shutdown(),
  };
}

export function unavailable(error: unknown): Error {
  if (isWebvirtError(error)) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new WebvirtError('store-unavailable', `Cassandra does not answer as it should: ${why}`, {
    inner: innerWords(error),
  });
}

/** "All host(s) tried for query failed" alone helps nobody. */
function innerWords(error: unknown): string {
  const inner = (error as { innerErrors?: Record<string, Error> }).innerErrors;
  if (inner === undefined) return '';
  return Object.entries(inner)
    .map(([host, one]) => `${host}: ${one.message}`)
    .join('; ');
}

/** Runs `work` for each item, `limit` at a time; rejects with the first error when all that run have ended. */
export async function eachOf<T>(
  items: readonly T[],
  limit: number,
  work: (item: T, at: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const failures: unknown[] = [];
  const runner = async () => {
    while (next < items.length && failures.length === 0) {
      const at = next++;
      try {
        await work(items[at]!, at);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, runner));
  if (failures.length > 0) throw failures[0];
}
