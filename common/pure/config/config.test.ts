import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { isWebvirtError } from '../../errors.ts';
import { checkConfig } from './check.ts';
import { layeredConfig, variableName } from './layers.ts';
import { duration, parseDuration, parseSize, size } from './quantity.ts';
import { describeConfig } from './shape.ts';
import { defaultsFile } from './yaml-file.ts';

const schema = z.object({
  port: z.number().int().min(0).max(65535).default(4600).describe('Port to listen on.'),
  level: z.enum(['info', 'debug']).default('info').describe('Level.'),
  names: z.array(z.string()).default([]).describe('Names.'),
  proxy: z.string().optional().describe('Proxy.'),
  http: z
    .object({
      bodyTimeout: duration({ min: '1s' }).prefault('15s').describe('Time for a body.'),
      bodyLimit: size({ max: '1GiB' }).describe('Largest body.').prefault('64KiB'),
      trust: z.boolean().default(false).describe('Trust.'),
    })
    .describe('The web server.'),
});
const file = 'conf/x.yaml';

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(isWebvirtError(error, 'bad-config')).toBe(true);
    return (error as Error).message;
  }
  throw new Error('was accepted');
}

describe('quantities', () => {
  it('reads times', () => {
    expect(['250ms', '15s', '2m', '1.5h', '1h30m', '1d', '0s'].map(parseDuration)).toEqual([
      250, 15_000, 120_000, 5_400_000, 5_400_000, 86_400_000, 0,
    ]);
    for (const bad of ['', '15', 's', '15 parsecs', '-1s', '1s2', '1e3s', '999999999999d', '1s ago']) {
      expect(() => parseDuration(bad), bad).toThrow(/with its unit/);
    }
  });

  it('reads sizes', () => {
    expect(['512B', '64KiB', '64MiB', '1.5GiB', '10MB', '1 kB'].map(parseSize)).toEqual([
      512, 65_536, 67_108_864, 1_610_612_736, 10_000_000, 1000,
    ]);
    for (const bad of ['', '64', '64mib', '64M', '-1B', '99999999TiB', '1 MiBs']) {
      expect(() => parseSize(bad), bad).toThrow(/with its unit/);
    }
  });
});

describe('checkConfig', () => {
  it('completes with defaults, types and freezes to the last leaf', () => {
    const config = checkConfig(schema, null, { file });
    expect(config).toEqual({
      port: 4600,
      level: 'info',
      names: [],
      http: { bodyTimeout: 15_000, bodyLimit: 65_536, trust: false },
    });
    expect(Object.isFrozen(config.http)).toBe(true);
    expect(Object.isFrozen(config.names)).toBe(true);
  });

  it('names an unknown key and the nearest known one', () => {
    expect(refusal(() => checkConfig(schema, { prot: 1 }, { file }))).toBe(
      'conf/x.yaml: prot: there is no such key; did you mean port?',
    );
    expect(refusal(() => checkConfig(schema, { http: { bodyTimout: '1s' } }, { file }))).toContain(
      'http.bodyTimout: there is no such key; did you mean bodyTimeout?',
    );
    expect(refusal(() => checkConfig(schema, { bodyTimeout: '1s' }, { file }))).toContain(
      'did you mean http.bodyTimeout?',
    );
    expect(refusal(() => checkConfig(schema, { zzzzzz: 1 }, { file }))).toBe(
      'conf/x.yaml: zzzzzz: there is no such key',
    );
  });

  it('names the path and what is wrong', () => {
    expect(refusal(() => checkConfig(schema, { http: { bodyTimeout: 15 } }, { file }))).toMatch(
      /^conf\/x\.yaml: http\.bodyTimeout: write a time with its unit/,
    );
    expect(refusal(() => checkConfig(schema, { http: { bodyTimeout: '5ms' } }, { file }))).toContain('at least 1s');
    expect(refusal(() => checkConfig(schema, { http: { bodyLimit: '2GiB' } }, { file }))).toContain('at most 1GiB');
    expect(refusal(() => checkConfig(schema, { port: '80' }, { file }))).toContain('port: ');
    expect(refusal(() => checkConfig(schema, { http: 7 }, { file }))).toContain('http: ');
    expect(refusal(() => checkConfig(schema, [], { file }))).toContain('must be a map');
  });

  it('takes no prototype from a file', () => {
    for (const text of [
      '__proto__: {port: 1}',
      'constructor: {prototype: {x: 1}}',
      'http: {__proto__: {trust: true}}',
    ]) {
      expect(refusal(() => checkConfig(schema, parse(text), { file }))).toContain('there is no such key');
    }
    expect(({} as Record<string, unknown>)['trust']).toBeUndefined();
  });
});

describe('layeredConfig', () => {
  const layers = (text: string | null, env: Record<string, string> = {}) =>
    layeredConfig(schema, { text, file, env, prefix: 'WEBVIRT_' });

  it('puts the environment over the file over the defaults', () => {
    expect(variableName('WEBVIRT_', 'http.bodyTimeout')).toBe('WEBVIRT_HTTP_BODY_TIMEOUT');
    const config = layers('port: 1\nlevel: debug\nhttp: {bodyLimit: 1KiB}', {
      WEBVIRT_PORT: '2',
      WEBVIRT_NAMES: 'a, b',
      WEBVIRT_HTTP_BODY_TIMEOUT: '3s',
      WEBVIRT_HTTP_TRUST: 'true',
      WEBVIRT_AGENT_PORT: '9',
    });
    expect(config).toMatchObject({ port: 2, level: 'debug', names: ['a', 'b'] });
    expect(config.http).toEqual({ bodyTimeout: 3000, bodyLimit: 1024, trust: true });
  });

  it('names the variable a bad value came from', () => {
    expect(refusal(() => layers('port: 1', { WEBVIRT_PORT: 'many' }))).toMatch(/^WEBVIRT_PORT: port: /);
    expect(refusal(() => layers(null, { WEBVIRT_HTTP_TRUST: 'perhaps' }))).toMatch(
      /^WEBVIRT_HTTP_TRUST: http\.trust: /,
    );
  });

  it('refuses what is not YAML, doubled keys and aliases, naming the file', () => {
    expect(refusal(() => layers('port: [1'))).toMatch(/^conf\/x\.yaml: not valid YAML: /);
    expect(refusal(() => layers('port: 1\nport: 2'))).toMatch(/not valid YAML: .*unique/);
    expect(refusal(() => layers('names: &a [x]\nlevel: *a'))).toMatch(/not valid YAML/);
    expect(refusal(() => layers('- 1'))).toContain('must be a map');
    expect(layers('').port).toBe(4600);
    expect(layers('http:').http.bodyTimeout).toBe(15_000);
  });
});

describe('reference', () => {
  it('describes every key', () => {
    const rows = describeConfig(schema);
    expect(rows.map((row) => [row.key, row.type, row.default])).toEqual([
      ['port', 'whole number', 4600],
      ['level', 'one of info, debug', 'info'],
      ['names', 'list of text', []],
      ['proxy', 'text', undefined],
      ['http', 'section', undefined],
      ['http.bodyTimeout', 'duration', '15s'],
      ['http.bodyLimit', 'size', '64KiB'],
      ['http.trust', 'true or false', false],
    ]);
    expect(rows.every((row) => row.description !== '')).toBe(true);
  });

  it('writes a defaults file that reads back as the defaults', () => {
    const text = defaultsFile(schema, 'Sample.\n\nDo not edit.');
    expect(text).toContain('  # Time for a body.\n  bodyTimeout: 15s\n');
    expect(text).toContain('# proxy:\n');
    expect(checkConfig(schema, parse(text), { file })).toEqual(checkConfig(schema, {}, { file }));
  });
});
