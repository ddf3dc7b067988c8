import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exportTo } from './export.ts';

// A manager that ends its export as it is told to.

let server: Server;
let url: string;
let end: (answer: ServerResponse) => void;

beforeAll(async () => {
  server = createServer((_, answer) => {
    answer.setHeader('Trailer', 'X-WebVirt-Export');
    answer.write('time,message\r\n');
    end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

async function run() {
  const [written, notes]: [string[], string[]] = [[], []];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  const config = { url, token: 't', ca: null, agentSocket: '', color: false };
  const call = { config, word: 'search', args: [], flags: {}, json: false, signal: new AbortController().signal };
  const told = { ...call, out: () => undefined, note: (text: string) => void notes.push(text) };
  const code = await exportTo(told, '/api/v1/logs/export?format=csv', sink);
  return { code, notes, text: written.join('') };
}

const says = (summary: string) => (answer: ServerResponse) => {
  answer.addTrailers({ 'X-WebVirt-Export': summary });
  answer.end();
};

it('ends with 0 and without a word when all lines are there', async () => {
  end = says('complete; lines=7');
  expect(await run()).toEqual({ code: 0, notes: [], text: 'time,message\r\n' });
});

it.each([
  ['cut; lines=7', [/cut: the first 7 lines/]],
  ['incomplete; lines=7; unreadable=8192', [/8192 lines .* cannot be read: the manager's disk lost them/]],
  ['cut; lines=7; unreadable=8192', [/cut: the first 7 lines/, /8192 lines .* cannot be read/]],
  ['something new', [/did not say/]],
])('ends with 3 and says why behind "%s"', async (summary, wanted) => {
  end = says(summary);
  const { code, notes, text } = await run();
  expect([code, text]).toEqual([3, 'time,message\r\n']);
  expect(notes).toHaveLength(wanted.length);
  for (const [i, pattern] of wanted.entries()) expect(notes[i]).toMatch(pattern);
});

it('does not take an export for whole that ends without a word, or in the middle', async () => {
  end = (answer) => void answer.end();
  expect(await run()).toMatchObject({ code: 3, notes: [expect.stringMatching(/did not say/)] });
  end = (answer) => void setImmediate(() => answer.destroy());
  expect(await run()).toMatchObject({ code: 3, notes: [expect.stringMatching(/broke off/)] });
});

it('passes on what the manager refuses', async () => {
  end = () => undefined;
  const refusing = createServer((_, answer) => {
    answer.statusCode = 400;
    answer.end(JSON.stringify({ err: 'bad-query', message: 'no second one', data: null }));
  });
  await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
  const before = url;
  url = `http://127.0.0.1:${(refusing.address() as AddressInfo).port}`;
  await expect(run()).rejects.toMatchObject({ code: 'bad-query' });
  url = before;
  refusing.close();
});
