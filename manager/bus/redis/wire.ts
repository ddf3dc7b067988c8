import { z } from 'zod';
import { gapSchema } from '../../../common/model/line.ts';
import { columnsFault, lineColumnsSchema } from '../../../common/wire/frames.ts';
import type { CommittedBatch } from '../../store/ports.ts';
import type { BusEvents } from '../bus.ts';

/** Version of what managers say to each other. Managers of different versions do not hear each other, and say so. */
export const WIRE_VERSION = 2;

/**
 * How the other managers hear of each thing that happens here: as a hint that something changed, by a note that brings it
 * whole and is told there as if it had happened there, as lines, or not at all.
 */
const ROADS = {
  ...{ host: 'hint', instance: 'hint', 'instance-gone': 'hint', job: 'hint', candidate: 'hint', scan: 'hint' },
  ...{ token: 'hint', resources: 'hint', session: 'hint', compute: 'hint', samples: 'hint', ledger: 'hint' },
  'credential-ended': 'hint',
  ...{ search: 'note', keep: 'note', rule: 'note', destination: 'note', delivery: 'note' },
  lines: 'lines',
  // Each manager counts what came to itself.
  outside: 'not',
  // What came from there.
  ...{ 'peer-lines': 'not', 'peer-break': 'not' },
} as const satisfies Record<keyof BusEvents, 'hint' | 'note' | 'lines' | 'not'>;

export type HintName = {
  [K in keyof typeof ROADS]: (typeof ROADS)[K] extends 'hint' ? K : never;
}[keyof typeof ROADS];
export const SHARED_HINTS = Object.entries(ROADS).flatMap(([name, road]) =>
  road === 'hint' ? [name as HintName] : [],
);
export type Hint = [name: HintName, event: BusEvents[HintName]];

/** Something that managers tell each other whole: a document, what rules have counted. Its reader checks it. */
export interface Note {
  kind: string;
  data: unknown;
}

/** One entry of a manager's stream. */
export interface BusMessage {
  batches: CommittedBatch[];
  notes: Note[];
  hints: Hint[];
}

const batchSchema = z.object({
  agent: z.string(),
  host: z.string(),
  hostName: z.string(),
  epoch: z.string(),
  first: z.number().int().nonnegative(),
  count: z.number().int().positive(),
  hash: z.string(),
  receivedMs: z.number(),
  clockOffsetMs: z.number().optional(),
  ordinal: z.number(),
  columns: lineColumnsSchema.nullable(),
  gap: gapSchema.nullable(),
});
const messageSchema = z.object({
  batches: z.array(batchSchema),
  notes: z.array(z.object({ kind: z.string(), data: z.unknown() })),
  hints: z.array(z.tuple([z.enum(SHARED_HINTS), z.record(z.string(), z.string())])),
});

export function encodeMessage(message: BusMessage): string {
  return JSON.stringify(message);
}

/** Throws on anything that no manager of this version writes. */
export function decodeMessage(text: string): BusMessage {
  const { batches, notes, hints } = messageSchema.parse(JSON.parse(text));
  for (const { columns, gap } of batches) {
    const fault = columns === null ? (gap === null ? 'neither columns nor gap' : null) : columnsFault(columns);
    if (fault !== null) throw new Error(fault);
  }
  return { batches: batches as CommittedBatch[], notes, hints: hints as Hint[] };
}

/** Lines that a viewer sees of a batch: a gap is one. */
export function linesOf({ columns }: CommittedBatch): number {
  return columns?.n ?? 1;
}

/** About its size on the wire, characters. */
export function charsOf({ columns }: CommittedBatch): number {
  let chars = 400;
  if (columns === null) return chars;
  for (const message of columns.message) chars += message.length + 24;
  for (const fields of columns.fields ?? []) chars += fields?.length ?? 4;
  return chars;
}

export const keysOf = (prefix: string) => ({
  /** Set of manager ids; each has a presence key that runs out. */
  managers: `${prefix}:managers`,
  presence: (id: string) => `${prefix}:manager:${id}`,
  /** One stream for each run of a manager: only it writes there. */
  stream: (id: string, run: string) => `${prefix}:bus:${id}:${run}`,
  /** Which manager looks after the rules of all. */
  lease: `${prefix}:rules-lease`,
  /** Short stream on which a manager says that it is there, so that the others look at once. */
  hello: `${prefix}:bus-hello`,
});
export type BusKeys = ReturnType<typeof keysOf>;
