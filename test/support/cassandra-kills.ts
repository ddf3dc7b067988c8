import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CassandraLines, openCassandraLines } from '../../manager/store/cassandra/open.ts';
import type { CassandraOptions } from '../../manager/store/cassandra/options.ts';
import type { CassandraNode } from './cassandra.ts';
import { type AskedChild, buildChild, type ChildProgram, startChild } from './child-program.ts';
import { freeze } from './freeze.ts';
import type { StoreAnswer, StoreQuestion } from './store-child.ts';

interface Rig {
  node(): CassandraNode;
  optionsOf(over?: Partial<CassandraOptions>): CassandraOptions;
  empty(): Promise<void>;
}

type Child = AskedChild<StoreQuestion, StoreAnswer>;

/** The manager is killed, for real, while it makes its tables and while it comes back to a node that was away. */
export function cassandraKills({ node, optionsOf, empty }: Rig): void {
  let program: ChildProgram;
  beforeAll(async () => {
    program = await buildChild('test/support/store-child.ts');
  });
  afterAll(() => program?.remove());

  const begin = (cassandra: CassandraOptions, at: string, pass: number): Child =>
    startChild(program, { cassandra, kill: { at, pass } });
  const numbersIn = async ({ lines }: CassandraLines) =>
    (await lines.since({}, 0, 10_000)).lines.map(({ message }) => Number(message.slice(1)));
  const upTo = (to: number) => Array.from({ length: to }, (_, i) => i);

  it('is killed while it makes its tables: the next start makes the rest (M7)', async () => {
    const options = optionsOf({ keyspace: 'killed_while_made' });
    for (const pass of [1, 4, 99]) {
      const child = begin(options, 'M7', pass);
      if (pass < 99) expect(await child.ended).toBe('SIGKILL');
      else {
        expect(await child.ask({ append: 3 })).toEqual({ next: 3 });
        await child.ask({ close: true });
      }
    }
    const store = await openCassandraLines(options);
    expect(await numbersIn(store)).toEqual(upTo(3));
    await store.close();
  });

  // Before, between and behind: the end of the append is decided; what it wrote is made void.
  it('is killed when the node comes back, while it settles what was under way: each line once (M9, L8)', async () => {
    let acked = 0;
    for (const pass of [1, 2, 3]) {
      const child = begin(optionsOf({ requestTimeoutMs: 500 }), 'M9', pass);
      const first = await child.ask({ append: 3 });
      if (typeof first === 'object' && 'next' in first) acked = first.next;
      await freeze(node().pid);
      // The node of all other tests goes on whatever comes of this one.
      const refused = await child.ask({ append: 3 }).finally(() => process.kill(node().pid, 'SIGCONT'));
      expect(refused).toHaveProperty('failed');
      // The driver may need another try until its connections are back.
      let answer = await child.ask({ append: 3 });
      while (typeof answer !== 'string') {
        expect(answer).toHaveProperty('failed');
        answer = await child.ask({ append: 3 });
      }
      expect(answer).toBe('SIGKILL');
      const store = await openCassandraLines(optionsOf());
      const found = await numbersIn(store);
      expect(found).toEqual(upTo(found.length));
      expect((await store.lines.cursors('a1'))[0]?.next).toBe(found.length);
      expect(await store.lines.count({})).toBe(found.length);
      expect(found.length - acked === 0 || found.length - acked === 3).toBe(true);
      acked = found.length;
      await store.close();
    }
    const last = begin(optionsOf(), 'M9', 99);
    expect(await last.ask({ append: 5 })).toEqual({ next: acked + 5 });
    await last.ask({ close: true });
    await empty();
  });
}
