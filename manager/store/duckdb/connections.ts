import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { StoreFailpoint } from '../failpoint.ts';
import { adoptSealed } from './adopt-sealed.ts';
import { prepareSchema } from './schema.ts';
import { sealedFolder } from './segment-files.ts';
import { openOrSetAside, type SetAside } from './set-aside.ts';

export interface ConnectionOptions {
  /** Threads of the database; 2 leaves a small machine to the rest of the manager. */
  threads?: number;
  memoryLimitBytes?: number;
  /** Size of the write-ahead log at which it is worked into the file. Larger: rarer stalls, longer start after a kill. */
  checkpointBytes?: number;
  /** How many reads may run at the same time. */
  readers?: number;
  failpoint?: StoreFailpoint;
  /** The file or its log was damaged and lies beside it now, under another name. */
  onSetAside?: (what: SetAside) => void;
  /** So many sealed lines were taken into a file that did not know them. */
  onAdopted?: (lines: number) => void;
}

/** One open file: `side` is for work that takes long and must hold up nobody. */
export interface Connections {
  instance: DuckDBInstance;
  writer: DuckDBConnection;
  side: DuckDBConnection;
  readers: DuckDBConnection[];
}

/** Threads of the database where nothing else is said. */
export const USUAL_THREADS = 2;
const READERS = 3;

/**
 * Opens the file and its connections; `onOpened` runs first. A damaged file is set aside and begun anew, with the sealed
 * lines beside it. Nothing stays open when something throws.
 */
export function connectAll(
  path: string,
  options: ConnectionOptions,
  onOpened: (connection: DuckDBConnection) => Promise<void>,
): Promise<Connections> {
  const onSetAside = options.onSetAside ?? (() => undefined);
  return openOrSetAside(path, () => connectOnce(path, options, onOpened), onSetAside);
}

async function connectOnce(
  path: string,
  options: ConnectionOptions,
  onOpened: (connection: DuckDBConnection) => Promise<void>,
): Promise<Connections> {
  const instance = await DuckDBInstance.create(path, {
    threads: String(options.threads ?? USUAL_THREADS),
    memory_limit: `${Math.round((options.memoryLimitBytes ?? 1024 ** 3) / 1024 ** 2)}MiB`,
    wal_autocheckpoint: `${Math.round((options.checkpointBytes ?? 1024 ** 3) / 1024 ** 2)}MiB`,
    // New lines are in the file for minutes, and sealed then: to make them small first would take longer than to seal them.
    force_compression: 'uncompressed',
    // The manager never loads code or data from elsewhere through a query.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const made: DuckDBConnection[] = [];
  try {
    const writer = await instance.connect();
    made.push(writer);
    // A sealed file never changes under its name.
    await writer.run('SET GLOBAL parquet_metadata_cache = true');
    // The system keeps what is read of them; the database would only keep a second copy, and the names of all it read.
    await writer.run('SET GLOBAL enable_external_file_cache = false');
    await prepareSchema(writer, path, options.failpoint);
    const lines = await adoptSealed(writer, sealedFolder(path));
    if (lines > 0) options.onAdopted?.(lines);
    await onOpened(writer);
    const side = await instance.connect();
    made.push(side);
    const readers: DuckDBConnection[] = [];
    for (let i = 0; i < (options.readers ?? READERS); i += 1) {
      const connection = await instance.connect();
      made.push(connection);
      readers.push(connection);
    }
    return { instance, writer, side, readers };
  } catch (error) {
    for (const connection of made) connection.closeSync();
    instance.closeSync();
    throw error;
  }
}

export function disconnectAll({ instance, writer, side, readers }: Connections): void {
  writer.closeSync();
  side.closeSync();
  for (const connection of readers) connection.closeSync();
  instance.closeSync();
}
