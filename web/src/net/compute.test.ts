import { describe, expect, it } from 'vitest';
import type { NumberedEvent, Session } from '../../../common/model/compute.ts';
import { Notebook } from '../models/compute/notebook.ts';
import { Notices } from '../models/notices.ts';
import { type Api, ApiError } from './api.ts';
import { createAttachments } from './attachments.ts';
import { createCompute } from './compute.ts';
import type { LiveSocket } from './socket.ts';

const SESSION = { id: 's1', kernel: 'python', owner: 'ada', death: null } as unknown as Session;
const EVENTS: NumberedEvent[] = [1, 2, 3].flatMap((cell, index) => [
  { seq: index * 2, tsMs: 0, event: { type: 'input' as const, cell, code: `c${cell}`, actor: 'ada' } },
  { seq: index * 2 + 1, tsMs: 0, event: { type: 'ended' as const, cell, status: 'ok' as const, elapsedMs: 1 } },
]);

type Answer = (timedOut: Error | null, answer: unknown) => void;

function wire() {
  const asked: { from: number; answer: Answer }[] = [];
  const socket = {
    connected: true,
    emit: () => undefined,
    timeout: () => ({
      emit: (_event: string, { from }: { from: number }, answer: Answer) => asked.push({ from, answer }),
    }),
  };
  const attachments = createAttachments(socket as unknown as LiveSocket);
  const notebook = new Notebook('s1');
  const tell = (from: number, to: number) => attachments.onOutput({ session: 's1', events: EVENTS.slice(from, to) });
  const open = (at: number, firstSeq = 0) =>
    asked[at]!.answer(null, { err: null, data: { session: SESSION, firstSeq, nextSeq: 6 } });
  return { socket, attachments, notebook, asked, tell, open };
}

describe('a watched session', () => {
  it('goes on behind its last event after a lost connection, without loss or doubles', () => {
    const { attachments, notebook, asked, tell, open } = wire();
    attachments.open(notebook);
    open(0);
    tell(0, 3);
    attachments.resume();
    expect(asked.map(({ from }) => from)).toEqual([0, 3]);
    tell(1, 5);
    open(1);
    tell(3, 6);
    expect([notebook.next, notebook.cells.map(({ number }) => number)]).toEqual([6, [1, 2, 3, null]]);
  });

  it('asks again for what is missing, and takes the rest from there', () => {
    const { attachments, notebook, asked, tell, open } = wire();
    attachments.open(notebook);
    open(0);
    tell(0, 1);
    tell(2, 6);
    expect(asked.map(({ from }) => from)).toEqual([0, 1]);
    open(1);
    tell(1, 6);
    expect(notebook.cells.map(({ state }) => state)).toEqual(['ok', 'ok', 'ok', 'draft']);
  });

  it('waits for the answer that says where the kept past begins', () => {
    const { attachments, notebook, tell, open } = wire();
    attachments.open(notebook);
    tell(4, 6);
    open(0, 4);
    expect([notebook.lostEvents, notebook.next, notebook.ready]).toEqual([4, 6, true]);
  });
});

describe('cells that are sent', () => {
  function setUp(post: (path: string, body: { code: string }) => Promise<unknown>) {
    const api = { post } as unknown as Api;
    const feed = { attach: () => ({ close() {} }) };
    const storage = { getItem: () => null, setItem() {}, removeItem() {} } as unknown as Storage;
    const compute = createCompute({ api, feed: feed as never, notices: new Notices(), storage });
    const notebook = new Notebook('s1');
    notebook.opened(SESSION, 0, 0);
    const send = (code: string) => {
      const cell = notebook.cells.at(-1)!;
      notebook.setCode(cell, code);
      return { cell, sent: compute.run(notebook, cell) };
    };
    return { send };
  }

  it('arrive in the order in which they were run', async () => {
    const begun: string[] = [];
    const answers: (() => void)[] = [];
    const { send } = setUp((_path, { code }) => {
      begun.push(code);
      return new Promise<void>((resolve) => answers.push(resolve));
    });
    const sent = [send('a'), send('b'), send('c')].map((one) => one.sent);
    for (let i = 0; i < 3; i += 1) {
      await expect.poll(() => begun.length).toBe(i + 1);
      answers[i]!();
    }
    await Promise.all(sent);
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('tell at their place why one was not taken, and the next is sent all the same', async () => {
    const { send } = setUp((_path, { code }) =>
      code === 'a' ? Promise.reject(new ApiError('session-ended', 'This session has ended.', 410)) : Promise.resolve(),
    );
    const [a, b] = [send('a'), send('b')];
    await Promise.all([a.sent, b.sent]);
    expect([a.cell.refused, a.cell.state, b.cell.refused]).toEqual(['This session has ended.', 'draft', null]);
  });
});
