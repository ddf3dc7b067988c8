/** Reads what `virsh event --all --loop --timestamp` prints. */
export interface VirshEvent {
  tsMs: number;
  /** libvirt's kind of event, such as `lifecycle`. */
  kind: string;
  /** Where the name of the domain and the rest of the line may be cut, longest name first: names may hold quotes. */
  readings: { name: string; detail: string }[];
  /** `key: value` lines that follow the event, such as the numbers of `job-completed`. */
  values: Record<string, string>;
}

const HEAD = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3})\+0000: event '([a-z0-9-]+)' for domain '(.*)$/;
const MAX_VALUES = 64;

/** Reads a line that starts an event, or null. */
export function parseEventLine(line: string): VirshEvent | null {
  const found = HEAD.exec(line);
  if (found === null) return null;
  const [, day, time, kind, rest] = found;
  if (kind === undefined || rest === undefined) return null;
  const readings: VirshEvent['readings'] = [];
  for (let at = rest.lastIndexOf("'"); at >= 0; at = at === 0 ? -1 : rest.lastIndexOf("'", at - 1)) {
    const after = rest.slice(at + 1);
    if (after === '' || after.startsWith(':'))
      readings.push({ name: rest.slice(0, at), detail: after.slice(1).trim() });
  }
  if (readings.length === 0) return null;
  const tsMs = Date.parse(`${day}T${time}Z`);
  return { tsMs, kind, readings, values: {} };
}

/** Adds a line that belongs to the event before it (they start with a tab); false when it does not. */
export function addEventValue(event: VirshEvent, line: string): boolean {
  const found = /^\t([^:]{1,64}): (.*)$/.exec(line);
  if (found?.[1] === undefined) return line.startsWith('\t');
  if (Object.keys(event.values).length < MAX_VALUES) event.values[found[1]] = (found[2] ?? '').slice(0, 256);
  return true;
}
