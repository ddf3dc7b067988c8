import { isErrorCode, WebvirtError } from '../../common/errors.ts';
import type { Computation } from './computation.ts';
import type { Output } from './output.ts';
import type { RunAnswer, RunRequest } from './ports.ts';
import type { Requests } from './requests.ts';

const CELL = 1;

/** One piece of code in a session of its own, from the request to its result. */
export function createRun(deps: { requests: Requests; output: Output; nowMs(): number }) {
  const { requests, output, nowMs } = deps;

  /** Resolves when the cell has ended, or after so many milliseconds. */
  function ended(computation: Computation, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        const { cells, openCells, death } = computation.record;
        if (death !== null || (cells >= CELL && !openCells.includes(CELL))) done();
      };
      const timer = setTimeout(done, timeoutMs);
      timer.unref();
      function done(): void {
        clearTimeout(timer);
        computation.watchers.delete(look);
        resolve();
      }
      computation.watchers.add(look);
      look();
    });
  }

  function begin(computation: Computation, code: string, { owner, opId }: Pick<RunRequest, 'owner' | 'opId'>): void {
    try {
      requests.execute(computation.record.id, { code, actor: owner });
    } catch (error) {
      // Nobody could ever find it again to send its cell.
      if (opId === undefined) requests.end(computation, 'its cell could not be stored');
      throw error;
    }
  }

  /**
   * Resolves with what the cell gave, or with `running` when it takes longer than `timeoutMs`: it goes on then, and its
   * output can be read later. The same opId with the same arguments waits for the same cell. Rejects as `open` does, and
   * with the reason of the hosts when none of them took it.
   */
  return async function run({ code, timeoutMs, keep, ...where }: RunRequest): Promise<RunAnswer> {
    const { computation } = requests.open({ ...where, code, keep });
    // Also where an earlier call could open the session and then not store its cell.
    if (computation.record.death === null && computation.record.cells < CELL) begin(computation, code, where);
    await ended(computation, timeoutMs);
    const { id, createdMs, death } = computation.record;
    if (death?.cause === 'refused') throw refusalOf(computation, death.text);
    const events = output.whole(computation);
    const end = events.find(({ event }) => event.type === 'ended' && event.cell === CELL)?.event;
    if (end?.type === 'ended') return { session: id, cell: CELL, status: end.status, elapsedMs: end.elapsedMs, events };
    const status = death === null ? 'running' : 'died';
    return { session: id, cell: CELL, status, elapsedMs: Math.max(0, nowMs() - createdMs), events };
  };
}

function refusalOf({ refusals }: Computation, text: string): WebvirtError {
  const code = [...refusals.values()].at(-1)?.code ?? 'host-unreachable';
  return new WebvirtError(isErrorCode(code) ? code : 'no-capacity', text);
}
