import { WebvirtError } from '../common/errors.ts';

/**
 * Points at which a test ends the process as `kill -9` does, to prove what survives. Active only when a program's
 * configuration hands one in. The spool is SQLite, so the points of a file spool mean:
 *
 * - A1 before the transaction of a commit begins · A3 inside it, between the first row and the next
 * - A2 all rows written, before COMMIT · A4 after COMMIT, before anybody is told
 * - A5 a new epoch is written, nothing numbered in it yet
 * - A6 before a message of lines is sent · A7 after it is sent, the ack not read
 * - A8 ack read, before its transaction · A9 inside it: cursor written, rows not deleted · A10 rows deleted, not committed
 * - A11 inside the scan at start · A12 inside the trim at the cap: rows deleted, gap not written
 */
export const FAILPOINTS = ['A1', 'A2', 'A3', 'A4', 'A5', 'A6', 'A7', 'A8', 'A9', 'A10', 'A11', 'A12'] as const;
export type FailpointName = (typeof FAILPOINTS)[number];
export type Failpoint = (name: FailpointName) => void;

export const noFailpoint: Failpoint = () => {};

/** A failpoint of the form `A2@17`: SIGKILL to this process on the 17th pass of A2. Throws `bad-config`. */
export function parseFailpoint(text: string): Failpoint {
  const match = /^(A\d+)@(\d+)$/.exec(text);
  if (match === null || !FAILPOINTS.includes(match[1] as FailpointName))
    throw new WebvirtError('bad-config', `WV_FAIL: "${text}" is not of the form A1@1 to A12@n`);
  const [, wanted] = match;
  let left = Number(match[2]);
  return (name) => {
    if (name !== wanted) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
