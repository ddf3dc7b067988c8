import type { DuckDBConnection } from '@duckdb/node-api';
import { WebvirtError } from '../../../common/errors.ts';
import type { EpochCursor } from '../../../common/wire/link.ts';
import { columnsOf } from '../line-columns.ts';
import type { LineBatch } from '../ports.ts';

/** How far each (agent, epoch) is stored. Held in memory, read from the file at each opening. */
export class Ledger {
  #cursors = new Map<string, Map<string, EpochCursor>>();

  async load(connection: DuckDBConnection): Promise<void> {
    this.#cursors = new Map();
    const found = await connection.runAndReadAll(
      `SELECT agent, epoch, max(next), arg_max(hash, ordinal) FROM ledger GROUP BY agent, epoch ORDER BY max(ordinal)`,
    );
    for (const [agent, epoch, next, hash] of found.getRows())
      this.#put(String(agent), { epoch: String(epoch), next: Number(next), hash: String(hash) });
  }

  /** Oldest epoch first. */
  cursors(agent: string): EpochCursor[] {
    return [...(this.#cursors.get(agent)?.values() ?? [])];
  }

  /**
   * Refuses batches that do not go on exactly where their epoch ended: this is what keeps every number stored once
   * when the caller is wrong about what was there. Returns the cursors as they will be after the commit.
   */
  check(batches: readonly LineBatch[]): () => void {
    const after = new Map<string, { agent: string; cursor: EpochCursor }>();
    for (const { agent, epoch, first, count, hash } of batches) {
      const key = `${agent} ${epoch}`;
      const next = after.get(key)?.cursor.next ?? this.#cursors.get(agent)?.get(epoch)?.next ?? 0;
      if (first !== next || count <= 0) {
        throw new WebvirtError('internal', 'A batch does not go on where its epoch ended', {
          agent,
          epoch,
          first,
          next,
        });
      }
      after.set(key, { agent, cursor: { epoch, next: first + count, hash } });
    }
    return () => {
      for (const { agent, cursor } of after.values()) this.#put(agent, cursor);
    };
  }

  /** Writes one row per batch, inside the transaction of its lines. */
  async append(connection: DuckDBConnection, batches: readonly LineBatch[], ordinal: number): Promise<void> {
    const appender = await connection.createAppender('ledger');
    try {
      let at = ordinal;
      for (const batch of batches) {
        const lines = columnsOf(batch).n;
        appender.appendBigInt(BigInt(batch.first));
        appender.appendBigInt(BigInt(batch.first + batch.count));
        appender.appendBigInt(BigInt(at));
        appender.appendBigInt(BigInt(lines));
        appender.appendBigInt(BigInt(Math.round(batch.receivedMs)));
        appender.appendVarchar(batch.agent);
        appender.appendVarchar(batch.epoch);
        appender.appendVarchar(batch.hash);
        appender.endRow();
        at += lines;
      }
      appender.closeSync();
    } catch (error) {
      appender.clear();
      throw error;
    }
  }

  #put(agent: string, cursor: EpochCursor): void {
    let epochs = this.#cursors.get(agent);
    if (epochs === undefined) {
      epochs = new Map();
      this.#cursors.set(agent, epochs);
    }
    epochs.set(cursor.epoch, cursor);
  }
}
