import type { Level, NewLine } from '../../../common/model/line.ts';
import { boundedFields, boundedMessage, claimed } from '../../../common/pure/outside/fields.ts';
import { createReading, LIMIT_REQUEST_LINES, type ReadLines } from '../intake/door.ts';
import { levelNamed } from '../intake/levels.ts';

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Labels that say which program it is, the most telling first. */
const UNIT_LABELS = ['service_name', 'app', 'unit', 'container', 'job'] as const;
const LEVEL_LABELS = ['level', 'detected_level', 'severity'] as const;

/**
 * The lines of a push request of Loki. Labels and structured metadata become fields; who sends is not theirs to say. Null
 * when the body is no push request.
 */
export function readLoki(body: unknown, sender: string, nowMs: number): ReadLines | null {
  if (!isObject(body) || !Array.isArray(body['streams'])) return null;
  const reading = createReading();
  let index = 0;
  for (const stream of body['streams'] as unknown[]) {
    const labels = isObject(stream) && isObject(stream['stream']) ? stream['stream'] : null;
    const values = isObject(stream) && Array.isArray(stream['values']) ? (stream['values'] as unknown[]) : null;
    if (labels === null || values === null) {
      reading.take(index, 'a stream needs an object `stream` and a list `values`');
      index += 1;
      continue;
    }
    const room = Math.max(0, LIMIT_REQUEST_LINES - index);
    for (const [i, value] of values.slice(0, room).entries())
      reading.take(index + i, readEntry(labels, value, sender, nowMs));
    reading.refuseRest(index + room, Math.max(0, values.length - room));
    index += values.length;
  }
  return reading;
}

/** The line, or why it is none. */
function readEntry(labels: Json, value: unknown, sender: string, nowMs: number): NewLine | string {
  if (!Array.isArray(value)) return 'an entry must be a list of time, line and perhaps metadata';
  const [time, line, metadata = {}] = value as unknown[];
  if (typeof line !== 'string') return 'the line of an entry must be text';
  if (!isObject(metadata)) return 'structured metadata must be an object';
  const tsMs = timeOf(time, nowMs);
  if (tsMs === null) return 'the time of an entry must be nanoseconds since 1970, as text';
  const { message, wasCharacters } = boundedMessage(line);
  const said = { ...labels, ...metadata };
  const fields = boundedFields([
    ...Object.entries(said)
      .filter(([, one]) => typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean')
      .map(([key, one]): [string, unknown] => [claimed(key), one]),
    ...(wasCharacters === null ? [] : [['messageCharacters', wasCharacters] as const]),
  ]);
  fields['sender'] = sender;
  fields['via'] = 'loki';
  const unit = UNIT_LABELS.map((name) => said[name]).find((one) => typeof one === 'string' && one !== '');
  return {
    ...{ tsMs, level: levelOf(said), source: 'external', message },
    ...(unit === undefined ? {} : { unit: (unit as string).slice(0, 255) }),
    fields,
  };
}

function levelOf(said: Json): Level {
  for (const name of LEVEL_LABELS) {
    const level = levelNamed(said[name]);
    if (level !== null) return level;
  }
  return 'info';
}

function timeOf(time: unknown, nowMs: number): number | null {
  const text = typeof time === 'number' ? String(Math.trunc(time)) : time;
  if (typeof text !== 'string' || !/^\d{1,20}$/.test(text)) return null;
  const ms = Number(BigInt(text) / 1_000_000n);
  return ms === 0 ? nowMs : ms;
}
