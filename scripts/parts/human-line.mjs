/** A JSON log line of the compute server as text for people; null for what nobody watches. Other lines stay. */
export function humanLine(line) {
  let entry;
  try {
    entry = JSON.parse(line);
  } catch {
    return line;
  }
  if (entry === null || typeof entry !== 'object' || typeof entry.message !== 'string') return line;
  const { level, message, ...fields } = entry;
  if (level === 'debug') return null;
  const shown = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
  return `${level === 'info' || level === undefined ? '' : `${level}: `}${message}${shown.join('')}`;
}
