import type { NewLine } from '../../common/model/line.ts';

/** What libvirt told of a guest: it began to run, it was reset or rebooted, or it fell over. */
export interface GuestTurn {
  id: string;
  kind: 'started' | 'reset' | 'crashed';
  tsMs: number;
}

/** The turn that a line of libvirt's events tells; null for every other line. */
export function guestTurnOf({ source, instance, fields, tsMs }: NewLine): GuestTurn | null {
  if (source !== 'libvirt' || instance === undefined) return null;
  const detail = String(fields?.['detail'] ?? '');
  const turn = (kind: GuestTurn['kind']) => ({ id: instance, kind, tsMs });
  // libvirt's `reboot` is QEMU's reset, whoever asked for it: virsh, or the guest itself.
  if (fields?.['event'] === 'reboot') return turn('reset');
  if (fields?.['event'] !== 'lifecycle') return null;
  if (/^Started/.test(detail)) return turn('started');
  return /^(?:Crashed|Stopped (?:Crashed|Failed))/.test(detail) ? turn('crashed') : null;
}

/** Tells the turns of guests that libvirt's event lines speak of. */
export function createGuestTurns() {
  const handlers = new Set<(turn: GuestTurn) => void>();
  return {
    /** Takes each line that libvirt's side of the agent says. */
    hear(line: NewLine): void {
      const turn = guestTurnOf(line);
      if (turn !== null) for (const handler of [...handlers]) handler(turn);
    },
    on(handler: (turn: GuestTurn) => void): () => void {
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
  };
}
export type GuestTurns = ReturnType<typeof createGuestTurns>;
