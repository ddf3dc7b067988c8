import { describe, expect, it } from 'vitest';
import type { NumberedEvent, OutputEvent, Session } from '../../../../common/model/compute.ts';
import { Notebook } from './notebook.ts';

const SESSION: Session = {
  id: 's1',
  kernel: 'python',
  title: '',
  host: 'h1',
  hostName: 'alder',
  state: 'idle',
  owner: 'ada@example.org',
  createdMs: 0,
  endedMs: null,
  cells: 0,
  runningCell: null,
  nextSeq: 0,
  memoryBytes: null,
  cpuMs: null,
  death: null,
};
const input = (cell: number, code: string, more: { replaces?: number; after?: number } = {}): OutputEvent => ({
  type: 'input',
  cell,
  code,
  actor: 'ada@example.org',
  ...more,
});
const number = (events: OutputEvent[], from = 0): NumberedEvent[] =>
  events.map((event, index) => ({ seq: from + index, tsMs: 1_000 + index, event }));
const whole = (cell: number, code: string, more = {}): OutputEvent[] => [
  input(cell, code, more),
  { type: 'started', cell },
  { type: 'stdout', cell, text: `${cell}\n` },
  { type: 'ended', cell, status: 'ok', elapsedMs: 3 },
];
/** What a viewer sees: the code and the text of each place that was run. */
const seen = (notebook: Notebook) =>
  notebook.cells
    .filter((cell) => cell.number !== null)
    .map((cell) => [
      cell.number,
      cell.code,
      cell.output.parts.map((part) => (part.kind === 'text' ? part.run.text : part.kind)).join(''),
    ]);

function opened(nextSeq = 0, drafts = [] as { after: number | null; code: string }[]) {
  const notebook = new Notebook('s1', drafts);
  notebook.opened(SESSION, 0, nextSeq);
  return notebook;
}

describe('a notebook', () => {
  it('is the same however its events are cut, and whatever comes twice', () => {
    const events = number([...whole(1, 'a'), ...whole(2, 'b'), ...whole(3, 'c', { replaces: 1 })]);
    const expected = [
      [3, 'c', '3\n'],
      [2, 'b', '2\n'],
    ];
    for (let size = 1; size <= events.length; size += 1) {
      const notebook = opened(events.length);
      for (let i = 0; i < events.length; i += size) {
        notebook.take(events.slice(i, i + size));
        notebook.take(events.slice(Math.max(0, i - 2), i + 1));
      }
      expect(seen(notebook)).toEqual(expected);
    }
  });

  it('takes nothing behind a hole and says so', () => {
    const events = number(whole(1, 'a'));
    const notebook = opened();
    expect(notebook.take(events.slice(0, 1))).toBe(true);
    expect(notebook.take(events.slice(2))).toBe(false);
    expect([notebook.next, seen(notebook)]).toEqual([1, [[1, 'a', '']]]);
    expect(notebook.take(events.slice(1))).toBe(true);
    expect(seen(notebook)).toEqual([[1, 'a', '1\n']]);
  });

  it('puts what others run where they put it', () => {
    const notebook = opened();
    const list = [
      ...whole(1, 'a'),
      ...whole(2, 'b'),
      ...whole(3, 'between', { after: 1 }),
      ...whole(4, 'top', { after: 0 }),
    ];
    notebook.take(number(list));
    expect(seen(notebook).map(([, code]) => code)).toEqual(['top', 'a', 'between', 'b']);
    // Cell 1 has become 5; who names it by its old number means the same place.
    notebook.take(number([...whole(5, 'a2', { replaces: 1 }), ...whole(6, 'a3', { replaces: 1 })], list.length));
    expect(seen(notebook).map(([, code]) => code)).toEqual(['top', 'a3', 'between', 'b']);
  });

  it('finds its own run again, whether the event or the answer comes first', () => {
    const notebook = opened();
    const cell = notebook.cells[0]!;
    notebook.setCode(cell, '1+1');
    expect(notebook.sending(cell)).toEqual({ code: '1+1' });
    expect(notebook.cells.map(({ state }) => state)).toEqual(['sending', 'draft']);
    notebook.take(number(whole(1, '1+1')));
    expect(notebook.cells.map(({ state, number: n }) => [state, n])).toEqual([
      ['ok', 1],
      ['draft', null],
    ]);
    notebook.setCode(cell, '1+2');
    expect(notebook.sending(cell)).toEqual({ code: '1+2', replaces: 1 });
    const between = notebook.insert(cell, true);
    notebook.setCode(between, 'first');
    expect(notebook.sending(between)).toEqual({ code: 'first', after: 0 });
  });

  it('keeps what is typed when somebody else runs the cell, and says so', () => {
    const notebook = opened();
    notebook.take(number(whole(1, 'a')));
    const cell = notebook.cells[0]!;
    notebook.setCode(cell, 'typed here');
    notebook.take(number(whole(2, 'theirs', { replaces: 1 }), 4));
    expect([cell.code, cell.ranCode, cell.overtaken]).toEqual(['typed here', 'theirs', true]);
  });

  it('puts drafts back to their places once the past is here', () => {
    const events = number([...whole(1, 'a'), ...whole(2, 'b')]);
    const notebook = opened(events.length, [
      { after: 1, code: 'between' },
      { after: null, code: 'end' },
    ]);
    notebook.take(events.slice(0, 3));
    expect(notebook.ready).toBe(false);
    notebook.take(events.slice(3));
    expect(notebook.cells.map(({ code }) => code)).toEqual(['a', 'between', 'b', 'end']);
    expect(notebook.drafts()).toEqual([
      { after: 1, code: 'between' },
      { after: null, code: 'end' },
    ]);
  });

  it('announces the end of a run of now, not of the past', () => {
    const notebook = opened(4);
    const ended: unknown[] = [];
    notebook.on('ended', (cell) => ended.push([cell.number, cell.state]));
    notebook.take(number(whole(1, 'past')));
    notebook.take(number(whole(2, 'now'), 4));
    expect(ended).toEqual([[2, 'ok']]);
  });

  it('ends with the session: what ran or waited died with it', () => {
    const notebook = opened();
    const death = { cause: 'out-of-memory', text: 'oom_kill went from 0 to 1' } as const;
    notebook.take(
      number([input(1, 'a'), { type: 'started', cell: 1 }, input(2, 'b'), { type: 'died', cell: 1, death }]),
    );
    expect(notebook.cells.map(({ state }) => state)).toEqual(['died', 'died']);
    expect(notebook.death).toEqual(death);
  });

  it('says how many events of the past are gone', () => {
    const notebook = new Notebook('s1');
    notebook.opened(SESSION, 10, 11);
    notebook.take(number([input(7, 'x')], 10));
    expect([notebook.lostEvents, seen(notebook)]).toEqual([10, [[7, 'x', '']]]);
  });
});
