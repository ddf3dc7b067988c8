/** A JSON log line of the compute server as text for people; null for what nobody watches. Other lines stay. */
export function humanLine(line: string): string | null;
