import type { Session } from './session.ts';

const PERIODIC =
  'A node of Cassandra answers writes before they are on its disk (commitlog_sync: periodic): lines that were ' +
  'acknowledged are lost when all replicas lose power within that time; set commitlog_sync to batch or group';

/**
 * Looks at what "stored" means to the nodes that answer: with `commitlog_sync: periodic` a write is answered before it is
 * on the disk. Every manager asks the nodes that it finds; a node says it of itself only.
 */
export async function checkDurability(
  session: Session,
  onWarning: (message: string, fields: Record<string, unknown>) => void,
): Promise<void> {
  const query = "SELECT value FROM system_views.settings WHERE name = 'commitlog_sync'";
  for (const host of session.client.hosts.values()) {
    try {
      const found = await session.client.execute(query, [], { host, prepare: false });
      const sync = String(found.first()?.['value'] ?? 'unknown');
      if (!['batch', 'group'].includes(sync)) onWarning(PERIODIC, { node: host.address, commitlogSync: sync });
    } catch (error) {
      onWarning('A node of Cassandra could not be asked how it writes', { node: host.address, error: String(error) });
    }
  }
}
