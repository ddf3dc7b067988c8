import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { replicationCql, TABLES } from './schema.ts';

it('is shipped as a file for those who make the tables themselves', () => {
  const shipped = readFileSync(new URL('../../../conf/cassandra/schema.cql', import.meta.url), 'utf8');
  const statements = shipped.replaceAll(/^--.*$/gm, '').split(';');
  expect(statements.map((text) => text.trim()).filter((text) => text !== '')).toEqual(TABLES);
});

it('reads a replication, and takes nothing else into a statement', () => {
  expect(replicationCql('3')).toBe("{'class': 'SimpleStrategy', 'replication_factor': 3}");
  expect(replicationCql('dc1:3, dc2:2')).toBe("{'class': 'NetworkTopologyStrategy', 'dc1': 3, 'dc2': 2}");
  for (const bad of ['', '0', 'dc1', "x':1} --", 'dc1:3;dc2:2']) expect(() => replicationCql(bad)).toThrow(RangeError);
});
