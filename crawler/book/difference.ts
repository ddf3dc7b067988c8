import type { Logger } from '../log.ts';

/** What changed between two looks at the network. Addresses are text. */
export type Difference =
  | { kind: 'appeared'; address: string; id: string; version: string | null; state: string }
  | { kind: 'vanished'; address: string; id: string }
  | { kind: 'moved'; address: string; id: string; from: string }
  | { kind: 'doubled'; address: string; id: string; other: string }
  | { kind: 'version'; address: string; id: string; from: string; to: string }
  | { kind: 'state'; address: string; id: string; from: string; to: string }
  | { kind: 'key'; address: string; id: string; from: string };

const TEXTS: Record<Difference['kind'], { level: 'info' | 'warn' | 'error'; text: string }> = {
  appeared: { level: 'info', text: 'an agent appeared' },
  vanished: { level: 'warn', text: 'an agent vanished' },
  moved: { level: 'info', text: 'an agent moved to another address' },
  doubled: {
    level: 'error',
    text: 'one agent answers at two addresses: a copied disk, a relay or two ways to one host',
  },
  version: { level: 'info', text: 'an agent runs another version' },
  state: { level: 'info', text: 'the enrolment of an agent changed' },
  key: {
    level: 'error',
    text: 'another key answers at the address of a known agent: reinstalled or not the same host',
  },
};

/** One log line per difference: constant text, the rest as fields. */
export function logDifference(log: Logger, { kind, ...fields }: Difference): void {
  const { level, text } = TEXTS[kind];
  log[level](text, fields);
}
