import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { judge } from './gate.ts';
import { hostAllowList } from './host-names.ts';

const rules = { isHostAllowed: hostAllowList([], 'cloud'), hasTls: true };

function request(remoteAddress: string, encrypted: boolean, host = '192.0.2.1:4600'): IncomingMessage {
  const socket = { remoteAddress, localAddress: '::ffff:192.0.2.1', encrypted };
  return { headers: { host }, url: '/hosts?x=1', socket } as unknown as IncomingMessage;
}

it('sends a peer of another machine to https and leaves this machine alone', () => {
  expect(judge(request('192.0.2.9', false), rules)).toEqual({ redirect: 'https://192.0.2.1:4600/hosts?x=1' });
  expect(judge(request('::ffff:192.0.2.9', false), rules)).toHaveProperty('redirect');
  expect(judge(request('fe80::1', false), rules)).toHaveProperty('redirect');
  expect(judge(request('192.0.2.9', true), rules)).toBeNull();
  expect(judge(request('127.0.0.1', false), rules)).toBeNull();
  expect(judge(request('::ffff:127.9.9.9', false), rules)).toBeNull();
  expect(judge(request('::1', false), rules)).toBeNull();
  expect(judge(request('192.0.2.9', false), { ...rules, hasTls: false })).toBeNull();
});

it('redirects to no name it does not know', () => {
  expect(judge(request('192.0.2.9', false, 'evil.example'), rules)).toEqual({ code: 'bad-host' });
  expect(judge(request('192.0.2.9', false, 'cloud:4600'), rules)).toHaveProperty('redirect');
});
