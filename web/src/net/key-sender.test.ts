import { expect, it } from 'vitest';
import { createKeySender } from './key-sender.ts';

function setUp() {
  const sent: { data: string; done: (error: string | null) => void }[] = [];
  const unsent: string[] = [];
  const sender = createKeySender(
    (data, done) => sent.push({ data, done }),
    (reason) => unsent.push(reason),
  );
  return { sent, unsent, sender };
}

it('keeps the order, one message at a time', () => {
  const { sent, sender } = setUp();
  for (const key of 'uptime') sender.push(key);
  expect(sent.map(({ data }) => data)).toEqual(['u']);
  sent[0]!.done(null);
  expect(sent.map(({ data }) => data)).toEqual(['u', 'ptime']);
});

it('cuts what is long, and no character in halves', () => {
  const { sent, sender } = setUp();
  const text = `${'x'.repeat(2_047)}😀 end`;
  sender.push(text);
  for (let i = 0; i < sent.length; i += 1) sent[i]!.done(null);
  expect(sent.map(({ data }) => data).join('')).toBe(text);
  expect(sent[0]!.data).toBe('x'.repeat(2_047));
  expect(sent.every(({ data }) => data.length <= 2_048)).toBe(true);
});

it('throws away what waits behind keys that were not taken, and says so once', () => {
  const { sent, unsent, sender } = setUp();
  sender.push('rm -rf /tm');
  sender.push('p/x\r');
  sent[0]!.done('not connected');
  expect(sent).toHaveLength(1);
  expect(unsent).toEqual(['not connected']);
  sender.push('l');
  expect(sent[1]!.data).toBe('l');
});

it('hears no late answer after it was cleared', () => {
  const { sent, unsent, sender } = setUp();
  sender.push('a');
  sender.clear();
  sent[0]!.done('late');
  expect(unsent).toEqual([]);
  sender.push('b');
  expect(sent[1]!.data).toBe('b');
});
