import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { HostStore, SettingStore } from '../store/ports.ts';
import { writeWhole } from './ca.ts';
import { type NewEnrolToken, TOKEN_LIFE_MS } from './enrol-token.ts';

const SETTING = 'local-agent';

export interface LocalEnrolFileDeps {
  hosts: HostStore;
  settings: SettingStore;
  createToken(): NewEnrolToken;
  now(): number;
}

/**
 * The file by which the agent on this machine enrols itself: `{"url", "token"}`, readable by its owner alone. Whoever can
 * read the data directory has the manager anyway. It is there, with a token that is good, until the local agent was
 * enrolled and then reached once; an agent that lost its certificate in between finds a new token at the next start.
 */
export function createLocalEnrolFile(config: { path: string; url(): string }, deps: LocalEnrolFileDeps) {
  let timer: NodeJS.Timeout | undefined;
  // An agent may have read the file just before a newer token was written.
  const tokenIds = new Set<string>();

  function isNeeded(): boolean {
    const id = deps.settings.get(SETTING);
    const host = id === null ? null : deps.hosts.get(id);
    return host === null || host.revokedMs !== null || host.seenMs === 0;
  }
  function write(): void {
    const token = deps.createToken();
    tokenIds.add(token.id);
    mkdirSync(dirname(config.path), { recursive: true, mode: 0o700 });
    writeWhole(config.path, `${JSON.stringify({ url: config.url(), token: token.text })}\n`, 0o600);
  }

  return {
    /** Needs the port to be open already. */
    start(): void {
      if (!isNeeded()) {
        rmSync(config.path, { force: true });
        return;
      }
      write();
      // Well before the token ends, so that an agent never reads one that is about to.
      timer = setInterval(write, TOKEN_LIFE_MS / 2);
      timer.unref();
    },
    /** Tells that a token was used; when it was ours the file goes. */
    enrolled(usedTokenId: string, agent: string): void {
      if (!tokenIds.has(usedTokenId)) return;
      clearInterval(timer);
      deps.settings.put(SETTING, agent);
      rmSync(config.path, { force: true });
    },
    stop: () => clearInterval(timer),
  };
}
