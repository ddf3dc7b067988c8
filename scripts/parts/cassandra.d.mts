/** See cassandra.mjs. */
export function ensureCassandra(
  say?: (text: string) => void,
): Promise<{ java: string; jars: string; missing?: undefined } | { missing: string }>;
