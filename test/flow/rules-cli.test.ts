import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Delivery, Destination, Rule, RuleEvent } from '../../common/model/rule.ts';
import { ROOT } from '../support/program.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
let desk: Server;
let hook: string;
let told: { headers: Record<string, unknown>; body: Record<string, unknown> }[];

beforeAll(async () => {
  told = [];
  desk = createServer(async (request, answer) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (request.url === '/gone') return void answer.writeHead(410).end('no such hook');
    told.push({ headers: request.headers, body: JSON.parse(body) as Record<string, unknown> });
    answer.end();
  });
  await new Promise<void>((done) => desk.listen(0, '127.0.0.1', done));
  hook = `http://127.0.0.1:${(desk.address() as AddressInfo).port}`;
  stack = await startStack({
    ...{ agent: false, crawler: false },
    manager: { WEBVIRT_ALERTS_ALLOW: '127.0.0.1', WEBVIRT_ALERTS_GATHER: '50ms' },
  });
});
afterAll(async () => {
  await stack?.stop();
  desk?.close();
});

interface Ran {
  code: number;
  out: string;
  err: string;
}

/** `webvirt rules …` against the manager, as an admin. */
function rules(...words: string[]): Promise<Ran> {
  const env = { PATH: process.env['PATH'], WEBVIRT_URL: stack.url, WEBVIRT_TOKEN: stack.token };
  return new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, 'dist/cli/main.js'), 'rules', ...words], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}
async function json<T>(...words: string[]): Promise<T> {
  const ran = await rules(...words, '--json');
  expect(ran).toMatchObject({ code: 0, err: expect.not.stringContaining('webvirt:') });
  return JSON.parse(ran.out) as T;
}
const lines = (count: number, host: string) =>
  stack.api(
    'POST',
    '/api/v1/logs',
    Array.from({ length: count }, () => ({
      level: 'error',
      message: 'I/O error\u001b[31m on vda',
      fields: { disk: host },
    })),
  );
const ADD = ['add', 'Disk errors', '"I/O error"', '--level', 'error', '--count', '3', '--by', 'disk', '--tell', 'desk'];

describe('webvirt rules', () => {
  it('says what to do while there is nothing', async () => {
    expect(await rules()).toEqual({ code: 0, out: '', err: 'There is no rule yet.\n' });
    expect(await rules('history')).toMatchObject({ code: 0, err: 'Nothing has happened yet.\n' });
    expect(await json<Rule[]>('list')).toEqual([]);
    expect((await rules('--help')).out).toContain('mute RULE TIME|off');
  });

  it('makes destinations, whose keys go in and never come out, and tests them', async () => {
    const keyFile = join(stack.dir, 'key');
    writeFileSync(keyFile, 'a long key\n');
    const made = await rules('destinations', 'add', 'desk', '--webhook', `${hook}/desk`, '--secret-file', keyFile);
    expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^[0-9a-f-]{36}\n$/) });
    await rules('destinations', 'add', 'dead', '--webhook', `${hook}/gone`, '--apart');
    const [desk, dead] = await json<Destination[]>('destinations');
    expect([desk!.secretSet, desk!.together, dead!.together]).toEqual([true, true, false]);
    const shown = await rules('destinations');
    expect(shown.out).toMatch(/DESTINATION +KIND +WHERE/);
    expect(shown.out).not.toContain('a long key');
    expect(await rules('test', 'DESK')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^delivered in \d+ ms\n$/),
    });
    expect(told[0]!.headers['webvirt-signature']).toMatch(/^t=\d+,v1=/);
    expect(await rules('test', 'dead')).toMatchObject({
      code: 1,
      out: '',
      err: 'webvirt: It answered 410: no such hook\n',
    });
    expect(await rules('destinations', 'remove', 'dead')).toMatchObject({ code: 0, err: 'dead is removed.\n' });
  });

  it('tries a rule, makes it, lists what it fires for and reads what it did', async () => {
    await lines(3, 'vda');
    await expect.poll(async () => (await json<{ fired: number }>('try', '"I/O error"', '--count', '3')).fired).toBe(1);
    const tried = await rules('preview', '"I/O error"', '--level', 'error', '--count', '3', '--by', 'disk');
    expect(tried.out).toMatch(/TIME +GROUP +LINES\n\S+Z +vda +3\n/);
    expect(tried.err).toBe('In the last day it would have fired once; 3 lines match.\n');
    const { id } = await json<Rule>(...ADD);
    await lines(2, 'vda');
    await lines(4, 'vdb');
    await expect.poll(async () => (await rules()).out).toMatch(/^Disk errors +firing +vdb +\S+Z +[0-9a-f-]{36}$/m);
    expect(await json<Rule[]>()).toMatchObject([{ id, firing: [{ group: 'vdb', count: 4 }] }]);
    const history = await rules('events', 'disk errors');
    expect(history.out).toMatch(/^\S+Z +Disk errors +fired +vdb +3 /m);
    expect(history.out).not.toContain('\u001b');
    expect(await json<RuleEvent[]>('history', id, '--limit', '1')).toMatchObject([{ what: 'fired', group: 'vdb' }]);
    await expect.poll(async () => (await rules('deliveries')).out).toMatch(/Disk errors +1 +desk +sent +1/);
    expect((await json<Delivery[]>('deliveries'))[0]).toMatchObject({ state: 'sent', events: 1 });
    expect(told.at(-1)!.body).toMatchObject({ what: 'fired', group: 'vdb' });
  });

  it('mutes, switches off and on, and removes', async () => {
    const muted = await rules('mute', 'Disk errors', '2h');
    expect(muted).toMatchObject({ code: 0, err: expect.stringMatching(/^Disk errors is muted until \S+Z\.\n$/) });
    expect((await rules()).out).toContain('firing, muted until ');
    expect((await json<Rule>('mute', 'Disk errors', 'off')).mutedUntilMs).toBeNull();
    expect(await rules('off', 'Disk errors')).toMatchObject({ code: 0, err: 'Disk errors is off.\n' });
    expect(await json<Rule>('on', 'Disk errors')).toMatchObject({ enabled: true, state: 'ok' });
    const inUse = await rules('destinations', 'remove', 'desk');
    expect(inUse).toMatchObject({ code: 1, err: 'webvirt: A rule tells it: Disk errors.\n' });
    expect(await rules('delete', 'Disk errors')).toMatchObject({
      code: 0,
      err: 'Disk errors is removed; its history stays.\n',
    });
    expect(await json<Rule[]>()).toEqual([]);
    expect((await json<RuleEvent[]>('history')).length).toBeGreaterThan(0);
  });

  it('refuses in words what it cannot do', async () => {
    const cases: [string[], RegExp][] = [
      [['ad', 'x'], /There is no "webvirt rules ad"\. Did you mean "add"\?/],
      [['add'], /A name is missing/],
      [['on', 'Disk', 'errors'], /"errors" is too much here; put names with spaces in quotes/],
      [['remove', 'nothing'], /There is no rule "nothing"\. See: webvirt rules/],
      [['test', 'dsk'], /There is no destination "dsk"; did you mean "desk"\?/],
      [['mute', 'x'], /Say for how long/],
      [['mute', 'x', 'soon'], /mute "soon": /],
      [['add', 'x', '/(/'], /pattern/],
      [['add', 'x', '--count', '0'], /--count takes a whole number from 1/],
      [['add', 'x', '--count', '3', '--silence', '5m'], /either counts lines/],
      [['add', 'x', '--within', '400d'], /withinMs/],
      [['add', 'x', '--severity', 'bad'], /severity/],
      [['add', 'x', '--tell', 'nobody'], /There is no destination "nobody"/],
      [['add', 'x', '--colour', 'red'], /--colour/],
      [['destinations', 'add', 'x'], /One of --mail, --webhook and --chat is needed/],
      [['destinations', 'add', 'x', '--webhook', 'ftp://x/'], /Only http and https/],
      [['destinations', 'add', 'x', '--mail', 'nobody'], /to/],
      [
        ['destinations', 'add', 'x', '--webhook', 'https://x/', '--secret-file', '/none'],
        /\/none cannot be read \(ENOENT\)/,
      ],
    ];
    const ran = await Promise.all(cases.map(([words]) => rules(...words)));
    for (const [i, [words, why]] of cases.entries()) {
      const { code, out, err } = ran[i]!;
      expect({ words, code, out, err }).toEqual({ words, code: 1, out: '', err: expect.stringMatching(why) });
      expect(err).toMatch(/^webvirt: /);
      expect(err).not.toMatch(/\n {4}at /);
    }
  });

  it('says so when the manager is not there, or the token is wrong', async () => {
    expect((await rules('--token', 'nonsense')).err).toMatch(/^webvirt: .*(sign|token)/i);
    expect((await rules('--url', 'http://127.0.0.1:1')).err).toMatch(/is not reached \(ECONNREFUSED\)/);
  });
});
