import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ManagerConfig } from '../config.ts';
import { openCassandraLines } from '../store/cassandra/open.ts';
import { type LineStoreOptions, type OpenLineStore, openLineStore } from '../store/duckdb/open.ts';
import type { SettingStore } from '../store/ports.ts';

/** What the manager uses of an open store of lines, whichever keeps them. */
export type LineEngine = Pick<OpenLineStore, 'lines' | 'samples' | 'retain' | 'close'>;

/** Name of the setting by which this manager is known in a keyspace that it may share with others. */
const MANAGER_NAME = 'lines.manager';

/**
 * Opens the store of lines that the configuration names. With Cassandra the embedded file is opened too: it keeps the
 * samples. There retention is the nodes' own work, each row says how long it lives, and only marks are ours.
 */
export async function openLineEngine(
  config: ManagerConfig,
  settings: SettingStore,
  onWarning: (message: string, fields: Record<string, unknown>) => void,
  onNews: (message: string, fields: Record<string, unknown>) => void = () => undefined,
  onError: (message: string, fields: Record<string, unknown>) => void = onWarning,
): Promise<LineEngine> {
  const { lines, dataDir, store } = config;
  const options: LineStoreOptions = {
    ...{ threads: lines.threads, memoryLimitBytes: lines.memory, readTimeoutMs: lines.readTimeout },
    ...{ sealLines: lines.sealLines, sealAfterMs: lines.sealAfter, filterBytes: lines.memory / 8 },
    scrubEveryMs: lines.scrub,
    onDamaged: (file) => onError('a file of sealed lines is missing or damaged: its lines are left out', { ...file }),
    onSetAside: ({ file, reason, wholeFile }) =>
      onWarning(
        wholeFile
          ? 'the file of new lines was damaged: it is set aside, and what was not sealed is missing until agents send it again'
          : 'the end of the log of new lines was damaged: it is set aside, and agents send again what they still have of it',
        { file, reason },
      ),
    onAdopted: (lines) => onWarning('a new file of lines began with the sealed lines that lay beside it', { lines }),
    onSealFailed: (error) => onWarning('new lines could not be sealed; it is tried again', { error: String(error) }),
  };
  const embedded = await openLineStore(join(dataDir, 'lines.duckdb'), options);
  if (store.engine === 'duckdb') return embedded;
  const { contactPoints, localDataCenter, keyspace, replication, user, passwordFile, caFile } = store.cassandra;
  const { keepLevels } = lines;
  try {
    const remote = await openCassandraLines({
      ...{ contactPoints, localDataCenter, keyspace, replication, onWarning },
      ...(user === null ? {} : { user, password: passwordFile === null ? '' : firstLine(passwordFile) }),
      ...(caFile === null ? {} : { ca: readFileSync(caFile, 'utf8') }),
      manager: managerName(settings),
      keepMs: {
        error: keepLevels.error ?? lines.keep,
        warn: keepLevels.warn ?? lines.keep,
        info: keepLevels.info ?? lines.keep,
        debug: keepLevels.debug ?? lines.keep,
      },
      readTimeoutMs: lines.readTimeout,
      requestTimeoutMs: store.cassandra.requestTimeout,
    });
    return {
      lines: remote.lines,
      samples: embedded.samples,
      async retain(rule) {
        const deleted = await embedded.retain(rule);
        const { kept, released } = await remote.keepMarked(rule.keep ?? []);
        if (kept.lines > 0) onNews('marked lines are kept whatever their age', { ...kept });
        if (released.lines > 0) onNews('lines that were marked end with their time again', { ...released });
        return deleted;
      },
      async close() {
        try {
          await remote.close();
        } finally {
          await embedded.close();
        }
      },
    };
  } catch (error) {
    await embedded.close();
    throw error;
  }
}

/** The same after a restart, and another for each manager: it is made once, in this manager's own state. */
function managerName(settings: SettingStore): string {
  const known = settings.get(MANAGER_NAME);
  if (known !== null) return known;
  const made = randomBytes(8).toString('hex');
  settings.put(MANAGER_NAME, made);
  return made;
}

function firstLine(path: string): string {
  return readFileSync(path, 'utf8').split(/\r?\n/, 1)[0]!;
}
