/**
 * The closed catalogue of errors. A code is never reused and never renamed: clients switch on it.
 * `expose` says whether the message of the thrown error may leave the process; where it is false the client reads `text`.
 * A test keeps this table, the documentation page and the types equal.
 */
export const ERRORS = {
  'bad-request': { status: 400, text: 'The request is not of the expected form.', expose: true },
  'bad-query': { status: 400, text: 'The filter could not be read.', expose: true },
  'bad-name': { status: 400, text: 'This name is not allowed.', expose: true },
  'bad-range': { status: 400, text: 'This address range may not be scanned.', expose: true },
  'bad-config': { status: 400, text: 'The configuration is not valid.', expose: true },
  'not-signed-in': { status: 401, text: 'Sign in first.', expose: true },
  'bad-credentials': { status: 401, text: 'The e-mail address or the password is wrong.', expose: true },
  'bad-token': { status: 401, text: 'The token is unknown, used, revoked or expired.', expose: true },
  forbidden: { status: 403, text: 'You may not do this.', expose: true },
  'bad-origin': { status: 403, text: 'The request came from another site.', expose: true },
  'csrf-missing': { status: 403, text: 'The X-CSRF-Token header is missing or wrong.', expose: true },
  'not-enrolled': { status: 403, text: 'This agent is not enrolled with a manager yet.', expose: true },
  'already-enrolled': { status: 409, text: 'This agent is enrolled already.', expose: true },
  'not-found': { status: 404, text: 'There is no such thing here.', expose: true },
  'method-not-allowed': { status: 405, text: 'This address does not know that method.', expose: true },
  ambiguous: { status: 409, text: 'More than one thing has this name; use its id.', expose: true },
  busy: { status: 409, text: 'Another operation on this object is under way.', expose: true },
  'op-id-reused': { status: 409, text: 'This opId was used for a different operation.', expose: true },
  'wrong-state': { status: 409, text: 'The object is not in a state that allows this.', expose: true },
  'stale-token': {
    status: 409,
    text: 'A newer command for this instance was seen; this one is refused.',
    expose: true,
  },
  'name-taken': { status: 409, text: 'Something in the fleet has this name already.', expose: true },
  'no-room': { status: 409, text: 'There is not enough memory or disk space for this.', expose: true },
  'not-movable': { status: 409, text: 'The instance cannot move to that host now.', expose: true },
  'in-use': { status: 409, text: 'Something still depends on this.', expose: true },
  'session-ended': { status: 410, text: 'This session has ended.', expose: true },
  'too-large': { status: 413, text: 'The request is too large.', expose: true },
  'unsupported-media-type': { status: 415, text: 'Send JSON with Content-Type: application/json.', expose: true },
  'bad-host': { status: 421, text: 'This manager does not answer to that host name.', expose: true },
  'too-many-requests': { status: 429, text: 'Too many tries; wait and try again.', expose: true },
  'host-unreachable': { status: 503, text: 'The host does not answer now.', expose: true },
  'not-ready': { status: 503, text: 'The manager is not ready yet.', expose: true },
  'store-unavailable': { status: 503, text: 'Lines cannot be stored or read now.', expose: true },
  'no-kernel': { status: 503, text: 'No host offers this kernel now.', expose: true },
  'no-capacity': { status: 503, text: 'Every host that could do this is full now.', expose: true },
  'not-contained': { status: 503, text: 'This host cannot contain computations, so it runs none.', expose: true },
  'journal-full': { status: 503, text: 'The journal cannot be written; no new operation is accepted.', expose: true },
  'scan-running': { status: 409, text: 'A scan of this range is running already.', expose: true },
  'libvirt-failed': { status: 502, text: 'libvirt refused or failed the operation.', expose: true },
  'libvirt-unavailable': { status: 503, text: 'The libvirt daemon of this host does not answer.', expose: true },
  'missing-program': { status: 503, text: 'A program that is needed is not installed.', expose: true },
  timeout: { status: 504, text: 'It took too long; the outcome is unknown.', expose: true },
  expired: { status: 410, text: 'The command was too old when it arrived and was not run.', expose: true },
  'op-cancelled': { status: 409, text: 'The operation was cancelled.', expose: true },
  internal: { status: 500, text: 'Something went wrong inside; it is in the log.', expose: false },
} as const satisfies Record<string, { status: number; text: string; expose: boolean }>;

export type ErrorCode = keyof typeof ERRORS;

/** An error of the catalogue. `message` says what, to what, why and what to try; `details` are fields for the log. */
export class WebvirtError extends Error {
  readonly code: ErrorCode;
  readonly details: Record<string, unknown>;

  constructor(code: ErrorCode, message?: string, details: Record<string, unknown> = {}, options?: { cause?: unknown }) {
    super(message ?? ERRORS[code].text, options);
    this.name = 'WebvirtError';
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  /** What a client may read. */
  get publicMessage(): string {
    return ERRORS[this.code].expose ? this.message : ERRORS[this.code].text;
  }
}

/** True for an error of the catalogue, and of the given code when one is given. */
export function isWebvirtError(error: unknown, code?: ErrorCode): error is WebvirtError {
  return error instanceof WebvirtError && (code === undefined || error.code === code);
}

/** True when the text is a code of the catalogue. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}
