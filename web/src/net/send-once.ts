import { type Api, ApiError } from './api.ts';

const LOST_ANSWER_RETRY_MS = 400;

/** Runs a call once more when its answer was lost: the call carries an `opId`, so both are the same operation. */
export async function onceMore<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'network') throw error;
    await new Promise((resolve) => setTimeout(resolve, LOST_ANSWER_RETRY_MS));
    return call();
  }
}

/** Posts an operation; a lost answer is asked for again under the same `opId`. */
export function sendOnce<T>(api: Api, path: string, body: { opId: string }): Promise<T> {
  return onceMore(() => api.post<T>(path, body));
}
