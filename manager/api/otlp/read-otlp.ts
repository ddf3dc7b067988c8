import type { Level, NewLine } from '../../../common/model/line.ts';
import { boundedFields, boundedMessage, claimed } from '../../../common/pure/outside/fields.ts';
import { createReading, LIMIT_REQUEST_LINES, type ReadLines } from '../intake/door.ts';
import { levelNamed } from '../intake/levels.ts';
import { isObject, pairs, plainValue } from './any-value.ts';

type Json = Record<string, unknown>;
type Pairs = [string, unknown][];

/**
 * The lines of an ExportLogsServiceRequest in JSON. Attributes become fields under their own names: those of the record
 * win over those of its scope and its resource, and what they hide stays as `scope.…` and `resource.…`. What a record says
 * of its host is a field and no more. Null when the body is no such request.
 */
export function readOtlp(body: unknown, sender: string, nowMs: number): ReadLines | null {
  if (!isObject(body)) return null;
  const resources = listOf(body['resourceLogs']);
  if (resources === null) return null;
  const reading = createReading();
  let index = 0;
  for (const resource of resources) {
    const outer = isObject(resource) ? resource : {};
    const about = isObject(outer['resource']) ? pairs(outer['resource']['attributes']) : [];
    for (const scope of listOf(outer['scopeLogs']) ?? []) {
      const inner = isObject(scope) ? scope : {};
      const scoped = scopePairs(inner['scope']);
      const records = listOf(inner['logRecords']) ?? [];
      const room = Math.max(0, LIMIT_REQUEST_LINES - index);
      for (const [i, record] of records.slice(0, room).entries())
        reading.take(index + i, readRecord(record, { about, scoped, sender, nowMs }));
      reading.refuseRest(index + room, Math.max(0, records.length - room));
      index += records.length;
    }
  }
  return reading;
}

/** A list that is absent is empty, as in every JSON encoding of Protobuf. */
function listOf(value: unknown): unknown[] | null {
  return value === undefined || value === null ? [] : Array.isArray(value) ? value : null;
}

function scopePairs(scope: unknown): Pairs {
  if (!isObject(scope)) return [];
  const named = (['name', 'version'] as const).flatMap((key): Pairs => {
    const value = scope[key];
    return typeof value === 'string' && value !== '' ? [[`scope.${key}`, value]] : [];
  });
  return [...named, ...pairs(scope['attributes'])];
}

interface Around {
  about: Pairs;
  scoped: Pairs;
  sender: string;
  nowMs: number;
}

/** The line, or why it is none. */
function readRecord(record: unknown, { about, scoped, sender, nowMs }: Around): NewLine | string {
  if (!isObject(record)) return 'not a log record';
  const time = timeOf(record['timeUnixNano']) ?? timeOf(record['observedTimeUnixNano']);
  if (time === 'bad') return 'timeUnixNano: must be nanoseconds since 1970';
  const level = levelOf(record['severityNumber'], record['severityText']);
  if (level === null) return 'severityNumber: must be 0 to 24';
  const body = plainValue(record['body']);
  if (record['body'] !== undefined && record['body'] !== null && body === undefined && !isEmpty(record['body']))
    return 'body: must be a value';
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  const { message, wasCharacters } = boundedMessage(text);
  const own = pairs(record['attributes']);
  const fields = boundedFields(
    layered([
      ['', [...own, ...extras(record, body, wasCharacters)]],
      ['scope.', scoped],
      ['resource.', about],
    ]),
  );
  fields['sender'] = sender;
  fields['via'] = 'otlp';
  const service = about.find(([key]) => key === 'service.name')?.[1];
  const unit = typeof service === 'string' && service !== '' ? { unit: service.slice(0, 255) } : {};
  return { tsMs: time ?? nowMs, level, source: 'external', message, ...unit, fields };
}

const isEmpty = (value: unknown) => isObject(value) && Object.keys(value).length === 0;

/** What a record has besides its attributes. */
function extras(record: Json, body: unknown, wasCharacters: number | null): Pairs {
  const out: Pairs = [];
  for (const key of ['traceId', 'spanId'] as const) {
    const id = record[key];
    if (typeof id === 'string' && /^[0-9a-fA-F]{1,32}$/.test(id) && !/^0+$/.test(id)) out.push([key, id.toLowerCase()]);
  }
  const flags = record['flags'];
  if (typeof flags === 'number' && flags !== 0) out.push(['traceFlags', flags]);
  for (const key of ['eventName', 'severityText'] as const) {
    const text = record[key];
    if (typeof text === 'string' && text !== '') out.push([key, text]);
  }
  const dropped = record['droppedAttributesCount'];
  if (typeof dropped === 'number' && dropped > 0) out.push(['droppedAttributesCount', dropped]);
  if (isObject(body)) out.push(['body', body]);
  if (wasCharacters !== null) out.push(['messageCharacters', wasCharacters]);
  return out;
}

/** The first of a name keeps it; a later one that says something else goes on under the prefix of its layer. */
function* layered(layers: [prefix: string, pairs: Pairs][]): Generator<[string, unknown]> {
  const seen = new Map<string, unknown>();
  for (const [prefix, list] of layers) {
    for (const [key, value] of list) {
      if (!seen.has(key)) {
        seen.set(key, value);
        yield [claimed(key), value];
      } else if (prefix !== '' && JSON.stringify(seen.get(key)) !== JSON.stringify(value)) {
        yield [`${prefix}${key}`, value];
      }
    }
  }
}

/** Milliseconds with their fraction; null where none was given, which is also what 0 means. */
function timeOf(nanos: unknown): number | null | 'bad' {
  if (nanos === undefined || nanos === null || nanos === '' || nanos === 0 || nanos === '0') return null;
  const text = typeof nanos === 'number' ? String(Math.trunc(nanos)) : nanos;
  if (typeof text !== 'string' || !/^\d{1,20}$/.test(text)) return 'bad';
  return Number(BigInt(text) / 1_000_000n);
}

/** 1–4 trace, 5–8 debug, 9–12 info, 13–16 warn, 17–24 error and fatal; 0 is "not said". */
function levelOf(number: unknown, text: unknown): Level | null {
  if (number === undefined || number === null || number === 0 || number === 'SEVERITY_NUMBER_UNSPECIFIED')
    return levelNamed(text) ?? 'info';
  const named = typeof number === 'string' ? /^SEVERITY_NUMBER_([A-Z]+)[2-4]?$/.exec(number) : null;
  if (named !== null) return levelNamed(named[1]);
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 24) return null;
  return number <= 8 ? 'debug' : number <= 12 ? 'info' : number <= 16 ? 'warn' : 'error';
}
