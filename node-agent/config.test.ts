import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { isWebvirtError } from '../common/errors.ts';
import { defaultsFile } from '../common/pure/config/yaml-file.ts';
import { agentConfigSchema, configOf, readConfig, readFailpoint } from './config.ts';

const HEADING = `Configuration of the WebVirt node agent: every key with its default.

Copy it, keep the keys you change, and name your copy in WEBVIRT_AGENT_CONFIG. Each key can also be given as a variable of the
environment: WEBVIRT_AGENT_ and the key in capitals, such as WEBVIRT_AGENT_LISTEN=0.0.0.0 or WEBVIRT_AGENT_SPOOL_CAP=1GiB.`;

it('ships every key with its default', () => {
  expect(readFileSync(new URL('../conf/agent.yaml', import.meta.url), 'utf8')).toBe(
    defaultsFile(agentConfigSchema, HEADING),
  );
});

it('takes the variables that the other programs set', () => {
  const config = readConfig({
    WEBVIRT_AGENT_PORT: '4777',
    WEBVIRT_AGENT_LISTEN: '0.0.0.0',
    WEBVIRT_AGENT_DATA_DIR: '/data',
    WEBVIRT_AGENT_LIBVIRT_URI: 'test:///default',
    WEBVIRT_AGENT_ENROL_FILE: '/data/enrol.json',
    WEBVIRT_AGENT_SPOOL_CAP: '1GiB',
    WEBVIRT_AGENT_SAMPLE_EVERY: '500ms',
  });
  expect(config).toMatchObject({
    port: 4777,
    listen: '0.0.0.0',
    dataDir: '/data',
    libvirtUri: 'test:///default',
    enrolFile: '/data/enrol.json',
    spool: { cap: 2 ** 30 },
    sampleEvery: 500,
  });
  expect(Object.isFrozen(config.spool)).toBe(true);
});

it('names what is wrong, and the nearest key', () => {
  expect(() => configOf({ prot: 1 } as never)).toThrow('prot: there is no such key; did you mean port?');
  expect(() => readConfig({ WEBVIRT_AGENT_SPOOL_CAP: 'lots' })).toThrow(/WEBVIRT_AGENT_SPOOL_CAP: spool\.cap/);
  expect(() => readConfig({ WEBVIRT_AGENT_CONFIG: '/nonexistent.yaml' })).toThrow(/WEBVIRT_AGENT_CONFIG/);
});

it('has a failpoint only when one is asked for, and only one that exists', () => {
  expect(() => readFailpoint({})('A1')).not.toThrow();
  // The manager's points are not ours.
  expect(() => readFailpoint({ WV_FAIL: 'M2@1' })('A2')).not.toThrow();
  for (const text of ['A0@1', 'A1', 'A13@1', 'A1@x']) {
    try {
      readFailpoint({ WV_FAIL: text });
      expect.unreachable();
    } catch (error) {
      expect(isWebvirtError(error, 'bad-config')).toBe(true);
    }
  }
});
