import { randomBytes } from 'node:crypto';
import { ERRORS, isWebvirtError, WebvirtError } from '../../common/errors.ts';
import { failed } from '../../common/wire/envelope.ts';
import { errorFields } from '../../logging/plain-fields.ts';
import type { Log } from './log.ts';

export interface ErrorAnswer {
  status: number;
  body: ReturnType<typeof failed>;
  headers: Record<string, string>;
}

/**
 * What a client reads of an error. One of the catalogue speaks for itself; anything else is a fault of ours: it is logged
 * whole under an id, and the client reads only that id.
 */
export function translateError(error: unknown, log: Log, about: Record<string, unknown>): ErrorAnswer {
  if (isWebvirtError(error)) {
    if (error.status >= 500) log.warn('request failed', { ...about, ...errorFields(error), ...error.details });
    const retryAfterMs = error.details['retryAfterMs'];
    const headers: Record<string, string> =
      typeof retryAfterMs === 'number' ? { 'Retry-After': String(Math.ceil(retryAfterMs / 1000)) } : {};
    return { status: error.status, body: failed(error.code, error.publicMessage), headers };
  }
  const id = randomBytes(6).toString('hex');
  log.error('request failed unexpectedly', { ...about, id, ...errorFields(error) });
  return { status: 500, body: failed('internal', `${ERRORS.internal.text} (${id})`), headers: {} };
}

/** The error that stands for an address where nothing is. */
export function nothingHere(): WebvirtError {
  return new WebvirtError('not-found', 'There is nothing at this address.');
}
