import { describe, expect, it } from 'vitest';
import type { LiveSocket } from './socket.ts';
import { createSubscriptions } from './subscriptions.ts';

type Ack = (timedOut: unknown, answer: unknown) => void;

function setUp() {
  const sent: { event: string; uri: string; ack: Ack }[] = [];
  const emit = (event: string, { uri }: { uri: string }, ack: Ack) => sent.push({ event, uri, ack });
  const socket = { connected: true, emit, timeout: () => ({ emit }) } as unknown as LiveSocket;
  const told: unknown[] = [];
  const failed: string[] = [];
  const follower = {
    take: (body: unknown, whole: boolean) => void told.push(whole ? ['whole', body] : ['changed', body]),
    fail: (code: string) => void failed.push(code),
  };
  const words = () => sent.map(({ event, uri }) => `${event} ${uri}`);
  const answer = (version: number, body: unknown) => sent.at(-1)!.ack(null, { err: null, data: { version, body } });
  return {
    subscriptions: createSubscriptions(socket, () => told.push('signed out')),
    sent,
    told,
    failed,
    follower,
    words,
    answer,
  };
}

const change = (version: number, value: number) => ({
  ...{ uri: '/x', version },
  patch: [{ op: 'replace' as const, path: '/n', value }],
});

describe('subscriptions', () => {
  it('ask once for an address that two follow, keep both in step, and let go of it with the last', () => {
    const { subscriptions, told, follower, words, answer } = setUp();
    const first = subscriptions.follow('/x', follower);
    answer(1, { n: 1 });
    const second = subscriptions.follow('/x', { take: (body) => void told.push(['second', body]) });
    subscriptions.onChange(change(2, 2));
    expect(told).toEqual([
      ['whole', { n: 1 }],
      ['second', { n: 1 }],
      ['changed', { n: 2 }],
      ['second', { n: 2 }],
    ]);
    first.close();
    expect(words()).toEqual(['subscribe /x']);
    second.close();
    second.close();
    expect(words()).toEqual(['subscribe /x', 'unsubscribe /x']);
    subscriptions.onChange(change(3, 3));
    expect(told.length).toBe(4);
  });

  it('ask for the whole again when a version is missing, and take no old one', () => {
    const { subscriptions, told, follower, words, answer } = setUp();
    subscriptions.follow('/x', follower);
    answer(4, { n: 4 });
    subscriptions.onChange(change(4, 9));
    subscriptions.onChange(change(6, 6));
    expect(words()).toEqual(['subscribe /x', 'subscribe /x']);
    answer(6, { n: 6 });
    expect(told).toEqual([
      ['whole', { n: 4 }],
      ['whole', { n: 6 }],
    ]);
  });

  it('ask for everything when the socket is back, and drop answers of before', () => {
    const { subscriptions, told, sent, follower, answer } = setUp();
    subscriptions.follow('/x', follower);
    const late = sent[0]!.ack;
    subscriptions.pause();
    subscriptions.resume();
    late(null, { err: null, data: { version: 1, body: 'old' } });
    answer(7, 'new');
    expect(told).toEqual([['whole', 'new']]);
  });

  it('tell what is refused, and that the session has ended', () => {
    const { subscriptions, told, failed, sent, follower } = setUp();
    const one = subscriptions.follow('/x', follower);
    sent[0]!.ack(null, { err: 'host-unreachable', message: 'gone', data: null });
    one.close();
    subscriptions.follow('/y', follower);
    sent.at(-1)!.ack(null, { err: 'not-signed-in', message: '', data: null });
    expect([failed, told]).toEqual([['host-unreachable'], ['signed out']]);
  });
});
