import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { checkConfig } from '../common/pure/config/check.ts';
import { describeConfig } from '../common/pure/config/shape.ts';
import { defaultsFile } from '../common/pure/config/yaml-file.ts';
import { managerConfigSchema, readManagerConfig } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'webvirt-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const HEADING = `Configuration of the WebVirt manager: every key with its default.

Copy it, keep the keys you change, and name your copy in WEBVIRT_CONFIG. Each key can also be given as a variable of the
environment: WEBVIRT_ and the key in capitals, such as WEBVIRT_PORT or WEBVIRT_HTTP_ALLOWED_HOSTS=a.example,b.example.
Times are written with ms, s, m, h or d; sizes with B, KiB, MiB or GiB.`;

it('is shipped as a file that shows every key with its default', () => {
  const shipped = readFileSync(new URL('../conf/manager.yaml', import.meta.url), 'utf8');
  expect(shipped).toBe(defaultsFile(managerConfigSchema, HEADING));
  const path = join(folder, 'shipped.yaml');
  writeFileSync(path, shipped);
  expect(readManagerConfig({ WEBVIRT_CONFIG: path })).toEqual(checkConfig(managerConfigSchema, {}, { file: 'x' }));
});

it('describes every key', () => {
  for (const row of describeConfig(managerConfigSchema)) expect(row.description, row.key).not.toBe('');
});

it('takes the environment over the file, and a password from a file of its own', () => {
  const path = join(folder, 'own.yaml');
  writeFileSync(path, 'port: 1\nlisten: 0.0.0.0\n');
  const secret = join(folder, 'password');
  writeFileSync(secret, 'from a file\n');
  const config = readManagerConfig({
    WEBVIRT_CONFIG: path,
    WEBVIRT_PORT: '2',
    WEBVIRT_HTTP_ALLOWED_HOSTS: 'a.example, b.example',
    WEBVIRT_ADMIN_PASSWORD_FILE: secret,
    WEBVIRT_AGENT_PORT: '3',
  });
  expect(config).toMatchObject({ port: 2, listen: '0.0.0.0', adminPassword: 'from a file' });
  expect(config.http.allowedHosts).toEqual(['a.example', 'b.example']);
});

it('names the key of what is wrong', () => {
  const path = join(folder, 'bad.yaml');
  const said = (yaml: string, env = {}) => {
    writeFileSync(path, yaml);
    try {
      readManagerConfig({ WEBVIRT_CONFIG: path, ...env });
    } catch (error) {
      return (error as Error).message;
    }
    return 'taken';
  };
  expect(said('prot: 1')).toBe(`${path}: prot: there is no such key; did you mean port?`);
  expect(said('lines: {keep: 30}')).toContain('lines.keep: write a time with its unit');
  expect(said('port: 99999')).toContain('port: ');
  expect(said('intake: {syslog: {tcpPort: 5514}}')).toContain('intake.syslog.allow: say which addresses may send');
  expect(said('intake: {syslog: {tcpPort: 5514, allow: [10.0.0.0/33]}}')).toContain('intake.syslog.allow.0: ');
  expect(said('intake: {syslog: {tcpPort: 5514, allow: [10.0.0.0/8, "::1"]}}')).toBe('taken');
  expect(said('', { WEBVIRT_PORT: 'x' })).toContain('WEBVIRT_PORT: port: ');
  expect(said('signIn: {remember: 1d}')).toContain('signIn.remember: must be longer');
  expect(said('adminPasswordFile: /nothing/here')).toBe('adminPasswordFile: the file /nothing/here does not exist');
  expect(() => readManagerConfig({ WEBVIRT_CONFIG: '/nothing.yaml' })).toThrow(
    'WEBVIRT_CONFIG: the file /nothing.yaml does not exist',
  );
});
