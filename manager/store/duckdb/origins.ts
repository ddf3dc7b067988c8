import type { DuckDBConnection } from '@duckdb/node-api';
import type { LineBatch } from '../ports.ts';
import { runQuery } from './line-rows.ts';

type Origin = Pick<LineBatch, 'agent' | 'epoch' | 'host' | 'hostName'>;

const keyOf = ({ agent, epoch, host, hostName }: Origin) => JSON.stringify([agent, epoch, host, hostName]);

/**
 * Whose lines they are, as small numbers: four long texts would otherwise be written three times for each new line.
 * Sealed files have the texts themselves. What is given out is noted in the transaction of the lines; a number that was
 * given out in a transaction that failed is forgotten when the file is read again.
 */
export class Origins {
  #known = new Map<string, number>();
  #next = 1;

  /** Reads what is stored; numbers that no line has any more go. */
  async load(connection: DuckDBConnection, tables: readonly string[]): Promise<void> {
    const used = tables.map((table) => `SELECT DISTINCT origin FROM ${table}`).join(' UNION ');
    await connection.run(`DELETE FROM origins WHERE origin NOT IN (${used})`);
    const rows = await runQuery(connection, 'SELECT origin, agent, epoch, host, host_name FROM origins', []);
    this.#known = new Map();
    this.#next = 1;
    for (const [origin, agent, epoch, host, hostName] of rows as [number, string, string, string, string][]) {
      this.#known.set(keyOf({ agent, epoch, host, hostName }), origin);
      this.#next = Math.max(this.#next, origin + 1);
    }
  }

  /** The numbers of batches; new ones are noted inside the connection's transaction. */
  async of(connection: DuckDBConnection, batches: readonly Origin[]): Promise<number[]> {
    const numbers: number[] = [];
    for (const batch of batches) {
      const key = keyOf(batch);
      let origin = this.#known.get(key);
      if (origin === undefined) {
        origin = this.#next;
        this.#next += 1;
        const { agent, epoch, host, hostName } = batch;
        await connection.run(`INSERT INTO origins VALUES (${origin}, ?, ?, ?, ?)`, [agent, epoch, host, hostName]);
        this.#known.set(key, origin);
      }
      numbers.push(origin);
    }
    return numbers;
  }
}
