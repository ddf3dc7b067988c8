import type { Look } from '../../common/wire/migration.ts';
import type { SideName } from './ports.ts';

/**
 * What a look says of one side. `moving`: stopped by the migration itself (an incoming guest that never ran here, or one
 * that stands still to be handed over); `paused`: stopped for another reason; `odd`: nothing that a rule knows.
 */
export type Side = 'running' | 'moving' | 'paused' | 'off' | 'absent' | 'unreachable' | 'odd';

/** libvirt's reasons for a pause that is the migration's own. */
const MOVING = new Set(['migrating', 'starting up', 'post-copy', 'post-copy failed']);

/** `null` is a side that gave no answer. */
export function sideOf(look: Look | null, side: SideName): Side {
  if (look === null) return 'unreachable';
  switch (look.state) {
    case null:
      return 'absent';
    case 'running':
    case 'shutting-down':
      return 'running';
    case 'paused':
      // A daemon that came back may have forgotten why: on the source nobody else had stopped it.
      if (look.reason === null) return side === 'source' ? 'moving' : 'paused';
      return MOVING.has(look.reason) ? 'moving' : 'paused';
    case 'shutoff':
    case 'saved':
    case 'crashed':
      return 'off';
    case 'unknown':
      return 'odd';
  }
}

/** For people: `paused (migrating)`. */
export function describe(look: Look | null): string {
  if (look === null) return 'does not answer';
  if (look.state === null) return 'not there';
  return `${look.state}${look.reason === null ? '' : ` (${look.reason})`}${look.busy ? ', libvirt works on it' : ''}`;
}
