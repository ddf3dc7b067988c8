import { type Look, lookSchema } from '../../common/wire/migration.ts';
import type { MigrationDeps } from './ports.ts';

const LOOK_MS = 5_000;

/** What libvirt of a host says of an instance; null when the host gives no answer within 5 s, whatever keeps it from that. */
export async function lookAt(
  { ask }: Pick<MigrationDeps, 'ask'>,
  hostId: string | null | undefined,
  instance: string | null,
): Promise<Look | null> {
  try {
    return lookSchema.parse(await ask(hostId ?? '', 'look', { instance }, { deadlineMs: LOOK_MS }));
  } catch {
    return null;
  }
}
