import { z } from 'zod';
import { duration, size } from '../../common/pure/config/quantity.ts';

const count = (least: number, most: number, usual: number) => z.number().int().min(least).max(most).default(usual);

const keepLevel = (level: string) =>
  duration({ min: '1h' })
    .nullable()
    .default(null)
    .describe(`How long lines of level ${level} are kept; null: as long as \`keep\` says.`);

/** What holds for the lines wherever they are kept, and for the embedded store. */
export const lines = z
  .object({
    keep: duration({ min: '1h' }).prefault('30d').describe('Lines and samples older than this are deleted.'),
    keepLevels: z
      .object({
        error: keepLevel('error'),
        warn: keepLevel('warn'),
        info: keepLevel('info'),
        debug: keepLevel('debug'),
      })
      .describe('Times that differ by level.'),
    limit: size({ min: '64MiB' })
      .nullable()
      .default(null)
      .describe(
        'When all lines together take more, the oldest are deleted first; what was deleted is told in a line. Null: 20GiB. ' +
          'Not with the engine cassandra, which deletes by age alone.',
      ),
    sealLines: count(10_000, 10_000_000, 1_048_576).describe(
      'When there are so many new lines they are written to a file of their own (zstd Parquet). While twice as many wait ' +
        'for that, no more are stored: the agents keep theirs and are acked later.',
    ),
    sealAfter: duration({ min: '1m' }).prefault('1d').describe('The same after so long, however few they are.'),
    memory: size({ min: '128MiB' })
      .prefault('1GiB')
      .describe(
        'Memory that the database of lines may take: new lines, what is being sealed, and searches together; where it does ' +
          'not suffice, they go to the disk. The manager takes up to 400 MiB beside it, and an eighth of it for the index.',
      ),
    threads: count(1, 64, 2).describe('Threads of that database. To seal lines it uses one.'),
    readTimeout: duration({ min: '1s' }).prefault('30s').describe('A search that takes longer is broken off.'),
    scrub: duration({ min: '1h' })
      .nullable()
      .prefault('7d')
      .describe(
        'In this time all sealed files are read once, a block at a time, and compared with their checksums: what the disk lost ' +
          'is told before somebody needs it. Null: a block is only checked when it is first read.',
      ),
    commitLines: count(100, 1_000_000, 32_768).describe('Most lines of one transaction.'),
    waiting: size({ min: '1MiB' })
      .prefault('64MiB')
      .describe('Lines that may wait for the disk; beyond it the agents keep theirs and send again.'),
    retry: duration({ min: '100ms' }).prefault('1s').describe('When an agent sends again what could not be taken.'),
  })
  .describe('The store of log lines and samples.');

const cassandra = z
  .object({
    contactPoints: z
      .array(z.string().min(1))
      .min(1)
      .default(['127.0.0.1'])
      .describe('Some nodes by which the others are found: addresses, with `:port` where it is not 9042.'),
    localDataCenter: z
      .string()
      .min(1)
      .default('datacenter1')
      .describe('The data centre whose nodes are asked and must agree (LOCAL_QUORUM).'),
    keyspace: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,47}$/, 'small letters, digits and _, such as webvirt')
      .default('webvirt')
      .describe('Keyspace of the tables. Tables that are missing in it are made.'),
    replication: z
      .string()
      .regex(/^([1-9]|\s*[A-Za-z0-9_-]+:[1-9]\s*(,\s*[A-Za-z0-9_-]+:[1-9]\s*)*)$/, 'such as 3, or dc1:3,dc2:3')
      .nullable()
      .default(null)
      .describe(
        'Copies of each line, such as `dc1:3`; a number alone is for one data centre or a test. The keyspace is made with ' +
          'it when it is not there. Null: the keyspace must be there.',
      ),
    user: z.string().nullable().default(null).describe('Who signs in at the nodes; null: nobody has to.'),
    passwordFile: z.string().nullable().default(null).describe('File whose first line is the password of that user.'),
    caFile: z
      .string()
      .nullable()
      .default(null)
      .describe("File with the authority that signed the nodes' certificates, PEM; null: no TLS."),
    requestTimeout: duration({ min: '500ms' }).prefault('8s').describe('A request that takes longer has failed.'),
  })
  .describe('Where the lines are when `engine` is cassandra.');

export const store = z
  .object({
    engine: z
      .enum(['duckdb', 'cassandra'])
      .default('duckdb')
      .describe(
        'Which store keeps the log lines: the embedded one in `dataDir`, or a Cassandra 5 that you run. The samples of ' +
          'hosts and instances are in the embedded one always.',
      ),
    cassandra,
  })
  .describe('Which store of log lines is used.');
