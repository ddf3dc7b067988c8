import type { Envelope } from '../../../common/wire/envelope.ts';
import type { Unreadable } from '../models/unreadable.ts';

/** What the manager answered instead of data. `code` is of the catalogue, or `network` when nothing answered. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status: number) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
  }
}

export interface Api {
  get<T>(path: string): Promise<T>;
  /** With what the manager says beside it of lines that it cannot read. */
  getCounts<T>(path: string): Promise<{ data: T; unreadable: readonly Unreadable[] }>;
  post<T>(path: string, body?: unknown): Promise<T>;
  put<T>(path: string, body: unknown): Promise<T>;
  remove<T>(path: string): Promise<T>;
  setCsrfToken(token: string | null): void;
  /** Manager's clock minus ours, milliseconds, as far as the Date header tells (whole seconds). */
  clockOffsetMs(): number;
}

export interface ApiDeps {
  fetch: typeof fetch;
  /** Called when a call is refused because the session ended. */
  onSignedOut: () => void;
}

interface Beside {
  unreadable?: readonly Unreadable[];
}
type Answer<T> = { data: T } & Beside;

const NETWORK_TEXT = 'The manager does not answer. Check that it runs and that you are on its network.';

/** Calls of `/api/v1`: opens the envelope, sends the CSRF token, turns every refusal into an `ApiError`. */
export function createApi(deps: ApiDeps): Api {
  let csrfToken: string | null = null;
  let offsetMs = 0;

  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    return (await open<T>(method, path, body)).data;
  }

  async function open<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (method !== 'GET' && csrfToken !== null) headers['x-csrf-token'] = csrfToken;
    if (body !== undefined) headers['content-type'] = 'application/json';
    const init: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-store' };
    if (body !== undefined) init.body = JSON.stringify(body);
    let response: Response;
    try {
      response = await deps.fetch(path, init);
    } catch {
      throw new ApiError('network', NETWORK_TEXT, 0);
    }
    const dateMs = Date.parse(response.headers.get('date') ?? '');
    if (Number.isFinite(dateMs)) {
      const difference = dateMs - Date.now();
      // Whole seconds: anything below is our own rounding, not a skew worth showing.
      offsetMs = Math.abs(difference) > 2_000 ? difference : 0;
    }
    const envelope = (await response.json().catch(() => null)) as (Envelope<T> & Beside) | null;
    if (envelope === null || typeof envelope !== 'object' || !('err' in envelope)) {
      throw new ApiError(
        'internal',
        `The manager answered ${response.status} without a readable body.`,
        response.status,
      );
    }
    if (envelope.err !== null) {
      if (envelope.err === 'not-signed-in' && !path.endsWith('/me')) deps.onSignedOut();
      throw new ApiError(envelope.err, envelope.message, response.status);
    }
    return envelope;
  }

  return {
    get: (path) => call('GET', path),
    async getCounts<T>(path: string) {
      const { data, unreadable = [] } = await open<T>('GET', path);
      return { data, unreadable };
    },
    post: (path, body) => call('POST', path, body),
    put: (path, body) => call('PUT', path, body),
    remove: (path) => call('DELETE', path),
    setCsrfToken(token) {
      csrfToken = token;
    },
    clockOffsetMs: () => offsetMs,
  };
}
