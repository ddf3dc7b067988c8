/** Every JSON answer of the manager and of the Node API. Some have named fields beside `data`: the reference says which. */
export type Envelope<T> = { err: null; data: T } | { err: string; message: string; data: null };

export function ok<T>(data: T): Envelope<T> {
  return { err: null, data };
}

export function failed(err: string, message: string): Envelope<never> {
  return { err, message, data: null };
}
