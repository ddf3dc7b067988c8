import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

const before = process.cwd();
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-cli-'));
  mkdirSync(join(folder, 'data', 'local'), { recursive: true });
  writeFileSync(join(folder, 'data', 'local', 'admin.token'), 'wv_local\n');
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

describe('the token of the data directory', () => {
  it('signs in at the manager of this machine', () => {
    for (const url of [undefined, 'http://localhost:4600', 'https://127.0.0.1:4600', 'http://[::1]:4600']) {
      expect(readConfig(url === undefined ? {} : { url }, {}).token, url).toBe('wv_local');
    }
  });

  it('is sent to no other machine, unless the directory was named', () => {
    for (const url of ['https://192.0.2.1', 'http://127.0.0.1.example', 'https://localhost.example:4600']) {
      expect(readConfig({ url }, {}).token, url).toBeNull();
      expect(readConfig({}, { WEBVIRT_URL: url }).token, url).toBeNull();
      expect(readConfig({ url, 'data-dir': 'data' }, {}).token, url).toBe('wv_local');
      expect(readConfig({ url, token: 'wv_theirs' }, {}).token, url).toBe('wv_theirs');
    }
  });
});
