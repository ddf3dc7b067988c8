import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isWebvirtError } from '../../common/errors.ts';
import { createLogger } from '../../logging/logger.ts';
import { type Ca, openCa } from '../../manager/enrolment/ca.ts';
import { newKeys, privatePem } from '../../manager/enrolment/keys.ts';
import { type Bend, enrollingManager, listeningPeer, SECRET, TOKEN_ID } from '../../test/support/enrol-peers.ts';
import { createAutoEnrol } from './auto-enrol.ts';
import { enrol } from './enrol.ts';
import { type Identity, openIdentity } from './identity.ts';

let folder: string;
let identity: Identity;
let ca: Ca;
const servers: Server[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-identity-'));
  ca = await openCa(join(folder, 'ca'), Date.now());
  identity = await open();
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = () => openIdentity({ folder: join(folder, 'identity'), now: Date.now });
const token = (hash = ca.hash) => `wv1.${hash}.${TOKEN_ID}.${SECRET}`;

async function manager(bend?: Bend) {
  const peer = await enrollingManager(ca, bend);
  servers.push(peer.server);
  return peer;
}

async function listener(pair: { key: string; cert: string }, chain: string) {
  const peer = await listeningPeer(pair, chain);
  servers.push(peer.server);
  return peer;
}

const enrolAt = (url: string, text = token()) =>
  enrol(url, text, { identity, port: () => 4601, name: 'host', now: Date.now });

async function agentPair() {
  const keys = await newKeys();
  return { key: await privatePem(keys), cert: await ca.signAgent('f'.repeat(32), keys.publicKey, Date.now()) };
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    expect(isWebvirtError(error)).toBe(true);
    expect((error as Error).message).not.toContain(SECRET);
    return `${(error as { code: string }).code}: ${(error as Error).message}`;
  }
  throw new Error('it was not refused');
}

describe('identity', () => {
  test('is made once, its key readable by its owner alone, and stays', async () => {
    expect(identity.id).toMatch(/^[0-9a-f]{32}$/);
    expect(statSync(join(folder, 'identity', 'key.pem')).mode & 0o777).toBe(0o600);
    const again = await open();
    expect([again.id, again.tls()]).toEqual([identity.id, identity.tls()]);
    expect(again.enrolment()).toBeNull();
  });
  test('a key that cannot be read is not replaced by a new one', async () => {
    writeFileSync(join(folder, 'identity', 'key.pem'), 'nonsense');
    expect(await refusal(open())).toMatch(/^bad-config: dataDir: .*key\.pem/);
    expect(readFileSync(join(folder, 'identity', 'key.pem'), 'utf8')).toBe('nonsense');
  });
});

describe('enrolment', () => {
  test('ends with a certificate that stays after a new start', async () => {
    const { url } = await manager();
    let told = 0;
    identity.onEnrolled(() => {
      told += 1;
    });
    await enrolAt(url);
    expect(told).toBe(1);
    for (const one of [identity, await open()]) {
      expect(one.enrolment()).toMatchObject({ url, caHash: ca.hash });
      expect(one.tls().ca).toBe(ca.cert);
      expect(one.tls().cert).not.toBe(one.tls().ca);
    }
    expect(await refusal(enrolAt(url))).toMatch(/^already-enrolled/);
  });

  test('takes an address with http as well: the port speaks both', async () => {
    const { url } = await manager();
    await enrolAt(url.replace('https', 'http'));
    expect(identity.enrolment()).not.toBeNull();
  });

  test('nothing is sent to a peer that is not the manager of the token', async () => {
    const other = await openCa(join(folder, 'other'), Date.now());
    const stranger = await other.issue('manager-server', 'localhost', ['127.0.0.1'], Date.now());
    const client = await ca.issue('manager-link', 'x', ['webvirt-manager'], Date.now());
    const real = await ca.issue('manager-server', 'localhost', ['127.0.0.1'], Date.now());
    const peers: [string, { key: string; cert: string }, string, string][] = [
      ['another CA', stranger, other.cert, token()],
      ['our CA behind a certificate of another', stranger, ca.cert, token()],
      ['a client of our CA', client, ca.cert, token()],
      ['an agent of our CA', await agentPair(), ca.cert, token()],
      ['no CA at all', real, '', token()],
      ['the manager, with the token of another', real, ca.cert, token('a'.repeat(64))],
    ];
    for (const [what, pair, chain, text] of peers) {
      const { url, heard } = await listener(pair, chain);
      expect([what, await refusal(enrolAt(url, text))]).toEqual([
        what,
        expect.stringMatching(/^bad-token: The manager at .* Nothing was sent/),
      ]);
      expect([what, heard.bytes]).toEqual([what, 0]);
    }
    expect(identity.enrolment()).toBeNull();
  });

  test.each([
    ['for another key', async () => ({ answerKey: (await newKeys()).publicKey as never })],
    ['of another CA', async () => ({ answerCa: await openCa(join(folder, 'second'), Date.now()) })],
    ['that cannot be read', async () => ({ text: '{"err":null,"data":{"cert":"x","ca":"y"}}' })],
    ['of a foreign form', async () => ({ text: '<html>' })],
    ['that is too long', async () => ({ text: 'x'.repeat(100_000) })],
  ])('an answer %s changes nothing', async (_what, bend) => {
    const { url } = await manager(await bend());
    await refusal(enrolAt(url));
    expect(identity.enrolment()).toBeNull();
    expect((await open()).enrolment()).toBeNull();
  });

  test('a wrong secret is refused by the manager; words that are no token or address are said', async () => {
    const { url, refusals } = await manager();
    const wrong = token().replace(SECRET, 't'.repeat(27));
    await expect(enrolAt(url, wrong)).rejects.toThrow('The manager refused');
    expect(refusals).toEqual(['wrong proof of the secret']);
    expect(await refusal(enrolAt(url, 'wv1.abc'))).toMatch(/^bad-token/);
    expect(await refusal(enrolAt('ftp://x'))).toMatch(/^bad-request/);
    expect(await refusal(enrolAt('https://127.0.0.1:1'))).toMatch(/^host-unreachable: .*ECONNREFUSED/);
  });

  test('a kill between its files, or an altered one, leaves an agent that is not enrolled', async () => {
    const { url } = await manager();
    await enrolAt(url);
    const path = (name: string) => join(folder, 'identity', name);
    const names = ['ca.pem', 'cert.pem', 'enrolment.json'];
    const whole = new Map(names.map((name) => [name, readFileSync(path(name), 'utf8')]));
    const self = readFileSync(path('self.pem'), 'utf8');
    for (let written = 0; written < names.length; written += 1) {
      for (const name of names) rmSync(path(name), { force: true });
      for (const name of names.slice(0, written)) writeFileSync(path(name), whole.get(name)!);
      expect((await open()).enrolment()).toBeNull();
    }
    for (const name of names) {
      for (const one of names) writeFileSync(path(one), whole.get(one)!);
      expect((await open()).enrolment()).not.toBeNull();
      writeFileSync(path(name), name === 'cert.pem' ? self : '{');
      const half = await open();
      expect([half.enrolment(), half.tls().ca]).toEqual([null, null]);
    }
    identity = await open();
    await enrolAt(url);
    expect((await open()).enrolment()).not.toBeNull();
  });
});

describe('enrolment by a file', () => {
  test('waits for the file and for the manager, and takes a file that is written anew at once', async () => {
    const path = join(folder, 'enrol.json');
    const log = createLogger({ program: 'agent', level: 'info', stderr: false, sinks: [] });
    const auto = createAutoEnrol({ path }, { identity, enrol: enrolAt, log });
    const enrolled = new Promise<void>((resolve) => identity.onEnrolled(resolve));
    auto.start();
    writeFileSync(path, 'not yet whole');
    writeFileSync(path, JSON.stringify({ url: 'https://127.0.0.1:1', token: token() }));
    const { url } = await manager();
    writeFileSync(path, JSON.stringify({ url, token: token() }));
    await enrolled;
    auto.stop();
    expect(identity.enrolment()?.url).toBe(url);
    // The file is the manager's: it is only read.
    expect(statSync(path).isFile()).toBe(true);
  });
});
