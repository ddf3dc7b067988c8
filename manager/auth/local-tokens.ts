import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Role } from '../../common/model/access.ts';
import type { Tokens } from './tokens.ts';

/** Files of bearer tokens for our own parts on this machine: whoever may read the file may use the manager. */
const FILES: { file: string; owner: string; role: Role; name: string }[] = [
  { file: 'admin.token', owner: 'local', role: 'admin', name: 'command line on this machine' },
  { file: 'crawler.token', owner: 'crawler', role: 'service', name: 'crawler on this machine' },
];

/** Writes `local/admin.token` and `local/crawler.token` under the data directory where they are missing or no good. */
export async function ensureLocalTokens(dataDir: string, tokens: Tokens): Promise<void> {
  const folder = join(dataDir, 'local');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const { file, owner, role, name } of FILES) {
    const path = join(folder, file);
    const text = await readFile(path, 'utf8').catch(() => '');
    const known = tokens.verify(text.trim());
    if (known?.owner === owner && known.role === role) {
      await chmod(path, 0o600);
      continue;
    }
    for (const old of tokens.list(owner)) tokens.remove(old.id, owner);
    const fresh = tokens.create({ owner, role, name, expiresMs: null });
    await writeWhole(path, `${fresh.text}\n`);
  }
}

/** A reader sees the old file or the new one, never half of it. */
async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}`;
  await rm(draft, { force: true });
  await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
  await rename(draft, path);
}
