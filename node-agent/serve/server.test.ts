import { once } from 'node:events';
import { connect } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { WebvirtError } from '../../common/errors.ts';
import { type AgentRig, enrolHere, startAgentRig } from '../../test/support/agent-rig.ts';
import { NODE_API, type NodeRoute } from './routes.ts';

let rig: AgentRig;
afterEach(() => rig.stop());

const ROUTES = NODE_API as readonly NodeRoute[];
const ID = '00000000-0000-4000-8000-000000000001';
const COMMAND = { opId: 'op-12345678', verb: 'start', instance: ID, args: {}, actor: 'a@b', fence: 1, expiresMs: 9e12 };
const sample = (path: string) => path.replace(':uuid', ID).replace(':opId', COMMAND.opId);

async function agentCertificate() {
  const other = await startAgentRig({ enrolled: false });
  await enrolHere(rig.ca, other.identity);
  const { key, cert } = other.identity.tls();
  await other.stop();
  return { key, cert };
}

describe('an agent that is not enrolled', () => {
  test('says hello in at most 512 bytes, and nothing else to anybody', async () => {
    rig = await startAgentRig({ enrolled: false });
    const hello = await rig.call('GET', '/hello');
    expect(hello.status).toBe(200);
    expect(Buffer.byteLength(hello.text)).toBeLessThanOrEqual(512);
    expect(hello.json.data).toEqual({
      product: 'webvirt-agent',
      version: '1.2.3',
      id: rig.identity.id,
      state: 'unenrolled',
      name: 'host "one"',
    });
    for (const [method, path] of [
      ['GET', '/v1/status'],
      ['POST', '/v1/commands'],
      ['GET', '/'],
      ['POST', '/hello'],
    ] as const) {
      const answer = await rig.call(method, path, rig.link, method === 'POST' ? COMMAND : undefined);
      expect([answer.status, answer.json.err]).toEqual([403, 'not-enrolled']);
    }
    expect(rig.commands.unacked()).toEqual([]);
  });
  test('opens no link', async () => {
    rig = await startAgentRig({ enrolled: false });
    expect((await (await rig.dial()).refused).status).toBe(403);
  });
  test('answers about five times a second, then says so', async () => {
    rig = await startAgentRig({ enrolled: false });
    const answers = await Promise.all(Array.from({ length: 20 }, () => rig.call('GET', '/hello')));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(10);
    expect(refused[0]!.json.err).toBe('too-many-requests');
  });
  test('is shut for strangers from the moment it is enrolled, also on connections that are open', async () => {
    rig = await startAgentRig({ enrolled: false });
    const socket = connect({ port: rig.port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    await enrolHere(rig.ca, rig.identity);
    socket.write('GET /hello HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1.1 403 .*"forbidden"/s);
    socket.destroy();
    expect((await rig.call('GET', '/v1/status', rig.link)).status).toBe(200);
  });
});

describe('an enrolled agent', () => {
  test('refuses everybody but its manager, on every road', async () => {
    rig = await startAgentRig({ enrolled: true });
    const elsewhere = await startAgentRig({ enrolled: true });
    const strangers = [undefined, await agentCertificate(), elsewhere.link];
    await elsewhere.stop();
    for (const as of strangers) {
      for (const { method, path } of ROUTES) {
        const answer = await rig.call(method, sample(path), as, method === 'POST' ? COMMAND : undefined);
        expect([path, answer.status, answer.json.err]).toEqual([path, 403, 'forbidden']);
      }
      if (as !== undefined) expect((await (await rig.dial(as)).refused).status).toBe(403);
    }
    expect(rig.commands.unacked()).toEqual([]);
  });
  test('speaks TLS 1.3 only', async () => {
    rig = await startAgentRig({ enrolled: true });
    const socket = connect({ port: rig.port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    const [error] = await once(socket, 'error');
    expect(String(error)).toMatch(/protocol version|alert/i);
  });
  test('every call of the table answers its manager in its documented shape', async () => {
    rig = await startAgentRig({ enrolled: true });
    rig.commands.submit(COMMAND);
    for (const route of ROUTES) {
      if (route.answer === null || route.access === 'anyone') continue;
      const body = route.method === 'POST' ? COMMAND : undefined;
      const answer = await rig.call(route.method, sample(route.path), rig.link, body);
      expect([route.path, answer.status]).toEqual([route.path, route.status]);
      expect(answer.json.err).toBeNull();
      expect(route.answer.safeParse(answer.json.data).error).toBeUndefined();
    }
  });
  test('answers errors of the catalogue, and internal ones blandly', async () => {
    rig = await startAgentRig({ enrolled: true });
    const status = async (method: string, path: string, body?: unknown) => {
      const answer = await rig.call(method, path, rig.link, body);
      return [answer.status, answer.json.err];
    };
    expect(await status('GET', '/v1/instances/vm1')).toEqual([400, 'bad-request']);
    expect(await status('GET', `/v1/instances/${ID.replace(/1$/, '9')}`)).toEqual([404, 'not-found']);
    expect(await status('GET', '/v1/jobs/unknown-op')).toEqual([404, 'not-found']);
    expect(await status('GET', '/v1/none')).toEqual([404, 'not-found']);
    expect(await status('POST', '/v1/status', {})).toEqual([405, 'method-not-allowed']);
    expect(await status('POST', '/v1/commands', { ...COMMAND, instance: 'vm1' })).toEqual([400, 'bad-request']);
    expect(await status('POST', '/v1/commands', { ...COMMAND, args: { x: 'y'.repeat(70_000) } })).toEqual([
      413,
      'too-large',
    ]);
    expect(await status('POST', '/v1/commands')).toEqual([415, 'unsupported-media-type']);
    rig.commands.refuse(new WebvirtError('journal-full'));
    expect(await status('POST', '/v1/commands', COMMAND)).toEqual([503, 'journal-full']);
    rig.commands.refuse(new Error('secret inside'));
    const answer = await rig.call('POST', '/v1/commands', rig.link, COMMAND);
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('secret');
  });
});
