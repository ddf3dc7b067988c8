import type { ErrorCode } from '../../common/errors.ts';
import type { AgentInstance } from '../../common/model/instance.ts';
import type { Outcome } from './journal-entry.ts';

/** `now` is null where the instance is gone or could not be read afterwards. */
export function done(
  now: AgentInstance | null,
  result: Record<string, unknown>,
  stderr: string | null = null,
): Outcome {
  const state = now?.state ?? null;
  return { state: 'done', error: null, result: { ...result, state }, stderr, afterState: state };
}

export function failed(
  code: ErrorCode,
  message: string,
  stderr: string | null = null,
  afterState: string | null = null,
): Outcome {
  return { state: 'failed', error: { code, message }, result: null, stderr, afterState };
}

export function cancelled(message: string, stderr: string | null = null, afterState: string | null = null): Outcome {
  return { state: 'cancelled', error: { code: 'op-cancelled', message }, result: null, stderr, afterState };
}

/** Nobody knows. It is never guessed: a person, or a later look, decides. */
export function unknown(message: string, stderr: string | null = null, afterState: string | null = null): Outcome {
  return { state: 'unknown', error: { code: 'timeout', message }, result: null, stderr, afterState };
}
