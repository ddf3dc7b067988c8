import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isWebvirtError, WebvirtError } from '../../../common/errors.ts';
import type { Job } from '../../../common/model/job.ts';

/** So many operations are journalled (each one a synced write) before others get their turn. */
const SLICE = 8;

export interface BatchAnswer {
  jobs: Job[];
  refused: { id: string; err: string; message: string }[];
}

/**
 * One operation on several instances, each a job of its own. One that is refused does not stop the others; when all are,
 * the first refusal is thrown. With an `opId` each instance gets an id derived from it, so a retry finds the same jobs.
 */
export async function runBatch(
  ids: readonly string[],
  opId: string | undefined,
  dispatch: (id: string, opId: string | undefined) => Job,
): Promise<BatchAnswer> {
  const answer: BatchAnswer = { jobs: [], refused: [] };
  let first: WebvirtError | null = null;
  for (const [i, id] of [...new Set(ids)].entries()) {
    if (i % SLICE === SLICE - 1) await nextTurn();
    try {
      answer.jobs.push(dispatch(id, opId === undefined ? undefined : derivedOpId(opId, id)));
    } catch (error) {
      if (!isWebvirtError(error)) throw error;
      first ??= error;
      answer.refused.push({ id, err: error.code, message: error.publicMessage });
    }
  }
  if (answer.jobs.length === 0 && first !== null)
    throw new WebvirtError(first.code, first.message, first.details, { cause: first });
  return answer;
}

function derivedOpId(opId: string, id: string): string {
  return createHash('sha256').update(`${opId}\n${id}`).digest('hex').slice(0, 32);
}
