import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { WebvirtError } from '../../common/errors.ts';
import { errorFields, type Logger } from '../../logging/logger.ts';
import type { Identity } from './identity.ts';

const LOOK_MS = 200;
const RETRY_MS = { first: 500, most: 15_000 };

const fileSchema = z.object({ url: z.string(), token: z.string() });

export interface AutoEnrolDeps {
  identity: Identity;
  enrol(url: string, token: string): Promise<void>;
  log: Logger;
}

/**
 * Enrols by a file `{"url", "token"}` as soon as it is there and its manager answers; a file that was written anew is
 * tried at once, the same one again and again. The file is the manager's: it is only read. Ends when the agent is enrolled.
 */
export function createAutoEnrol(config: { path: string }, deps: AutoEnrolDeps) {
  const { identity, log } = deps;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let tried = '';
  let retryMs = RETRY_MS.first;
  let notBefore = 0;
  let lastReason = '';

  async function look(): Promise<void> {
    if (stopped || identity.enrolment() !== null) return;
    const version = versionOf(config.path);
    if (version !== null && (version !== tried || performance.now() >= notBefore)) {
      if (version !== tried) retryMs = RETRY_MS.first;
      tried = version;
      await tryOnce();
      notBefore = performance.now() + retryMs;
      retryMs = Math.min(RETRY_MS.most, retryMs * 2);
    }
    if (!stopped && identity.enrolment() === null) timer = setTimeout(() => void look(), LOOK_MS);
  }

  async function tryOnce(): Promise<void> {
    try {
      const { url, token } = read(config.path);
      await deps.enrol(url, token);
    } catch (error) {
      const reason = (error as Error).message;
      if (stopped || identity.enrolment() !== null || reason === lastReason) return;
      lastReason = reason;
      log.warn('Could not enrol by the file; it is tried again', { path: config.path, ...errorFields(error) });
    }
  }

  return {
    start: () => void look(),
    stop(): void {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** Changes whenever the file is written; null while there is none. */
function versionOf(path: string): string | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
}

function read(path: string): z.infer<typeof fileSchema> {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new WebvirtError(
      'bad-config',
      `enrolFile: ${path} is not of the form {"url", "token"}`,
      {},
      { cause: error },
    );
  }
}
