import { createHash } from 'node:crypto';
import type { Command, JobReport } from '../../common/wire/link.ts';

/** `planned` is written before anything is done. */
export type EntryState = 'planned' | JobReport['state'];

/** One operation as the journal has it. */
export interface Entry {
  opId: string;
  verb: string;
  instance: string | null;
  argsHash: string;
  args: Record<string, unknown>;
  fence: number;
  actor: string;
  state: EntryState;
  final: boolean;
  pid: number | null;
  pidStart: string | null;
  createdMs: number;
  startedMs: number | null;
  endedMs: number | null;
  error: JobReport['error'];
  result: JobReport['result'];
  stderr: string | null;
  beforeState: string | null;
  afterState: string | null;
  acked: boolean;
}

export type Outcome = Pick<Entry, 'error' | 'result' | 'stderr' | 'afterState'> & {
  state: 'done' | 'failed' | 'cancelled' | 'unknown';
};

/** What makes two commands the same operation: who asks and when it expires may differ in a retry. */
export function commandHash(command: Pick<Command, 'verb' | 'instance' | 'args'>): string {
  return createHash('sha256')
    .update(JSON.stringify([command.verb, command.instance, sorted(command.args)]))
    .digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, sorted(inner)]);
}

/** What an operation has for itself while it runs: its instance, or nothing but its own id. */
export function keyOf({ instance, opId }: Pick<Entry, 'instance' | 'opId'>): string {
  return instance ?? `op ${opId}`;
}

/** What the manager is told of it. */
export function toReport(entry: Entry): JobReport {
  return {
    opId: entry.opId,
    verb: entry.verb,
    instance: entry.instance,
    state: entry.state === 'planned' ? 'running' : entry.state,
    final: entry.final,
    progress: null,
    startedMs: entry.startedMs,
    endedMs: entry.endedMs,
    error: entry.error,
    result: entry.result,
  };
}

/** A row of the table `ops`. */
export interface Row {
  op_id: string;
  verb: string;
  instance: string | null;
  args_hash: string;
  args: string;
  fence: number;
  actor: string;
  state: string;
  final: number;
  pid: number | null;
  pid_start: string | null;
  created_ms: number;
  started_ms: number | null;
  ended_ms: number | null;
  error: string | null;
  result: string | null;
  stderr: string | null;
  before_state: string | null;
  after_state: string | null;
  acked: number;
}

export function fromRow(row: Row): Entry {
  return {
    opId: row.op_id,
    verb: row.verb,
    instance: row.instance,
    argsHash: row.args_hash,
    args: JSON.parse(row.args) as Record<string, unknown>,
    fence: row.fence,
    actor: row.actor,
    state: row.state as EntryState,
    final: row.final === 1,
    pid: row.pid,
    pidStart: row.pid_start,
    createdMs: row.created_ms,
    startedMs: row.started_ms,
    endedMs: row.ended_ms,
    error: row.error === null ? null : (JSON.parse(row.error) as Entry['error']),
    result: row.result === null ? null : (JSON.parse(row.result) as Entry['result']),
    stderr: row.stderr,
    beforeState: row.before_state,
    afterState: row.after_state,
    acked: row.acked === 1,
  };
}
