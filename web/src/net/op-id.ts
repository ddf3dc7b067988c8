/** A new id of an operation: 128 random bits, letters and digits. The job it starts has the same id. */
export function newOpId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
