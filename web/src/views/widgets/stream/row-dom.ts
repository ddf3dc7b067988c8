import type { Gap, Level, Line } from '../../../../../common/model/line.ts';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { bytesText, clockText, countText } from '../../../dom/format.ts';
import { isMarker, type Marker, type StreamRow } from '../../../models/line-ring.ts';
import { inlineFields } from './inline-fields.ts';

/** Letter of a level: levels are told apart by letter and shape as well as by colour. */
export const LEVEL_LETTERS: Record<Level, string> = { error: 'E', warn: 'W', info: 'I', debug: 'D' };

/** What a row shows of a line; the rest is in its detail. Longer messages would only cost layout. */
const MESSAGE_CHARS = 500;

export interface RowNames {
  instanceName(id: string): string;
}

/** One reused element of a stream with its text nodes: filling it changes text, never structure. */
export interface RowDom {
  el: HTMLElement;
  /** Number of the row shown, or null while unused. */
  number: number | null;
  row: StreamRow | null;
  top: number;
  time: Text;
  level: Text;
  host: Text;
  source: Text;
  instance: Text;
  message: Text;
  fields: Text;
}

export function createRowDom(): RowDom {
  const el = document.createElement('div');
  el.setAttribute('role', 'option');
  el.hidden = true;
  const cell = (name: string, into: HTMLElement = el): Text => {
    const span = document.createElement('span');
    span.className = `c-${name}`;
    const text = document.createTextNode('');
    span.append(text);
    into.append(span);
    return text;
  };
  const body = document.createElement('span');
  body.className = 'c-body';
  const dom: RowDom = {
    el,
    number: null,
    row: null,
    top: -1,
    time: cell('time'),
    level: cell('level'),
    host: cell('host'),
    source: cell('source'),
    instance: cell('instance'),
    message: cell('message', body),
    fields: cell('fields', body),
  };
  el.append(body);
  return dom;
}

/** The gap a line stands for, or null for a line of text. */
export function gapOf(line: Line): Gap | null {
  const gap = line.fields?.['gap'];
  return gap !== null && typeof gap === 'object' && 'from' in gap && 'to' in gap ? (gap as Gap) : null;
}

/** The sentence of a gap row: how much is missing, where, why. */
export function gapText(gap: Gap): string {
  const count = gap.to - gap.from + 1;
  const size = gap.bytes > 0 ? `, ${bytesText(gap.bytes)}` : '';
  return `${countText(count)} ${count === 1 ? 'line is' : 'lines are'} missing here (numbers ${gap.from} to ${gap.to}${size}): ${visibleText(String(gap.reason))}`;
}

export function markerText(marker: Marker): string {
  const count = marker.count > 0 ? `${countText(marker.count)} ${marker.count === 1 ? 'line' : 'lines'} ` : '';
  return `${count}${marker.text}`;
}

/** Shows a row of the ring in an element. */
export function fillRow(dom: RowDom, row: StreamRow, names: RowNames): void {
  dom.row = row;
  if (isMarker(row)) {
    dom.el.className = `row row-marker row-${row.marker}`;
    setTexts(dom, '', '', '', '', '', markerText(row), '');
    dom.el.dataset['action'] = row.loading ? 'loading' : row.marker === 'connection' ? '' : 'load';
    return;
  }
  dom.el.dataset['action'] = '';
  const gap = gapOf(row);
  if (gap !== null) {
    dom.el.className = 'row row-gap';
    setTexts(dom, clockText(row.tsMs), '', visibleText(row.hostName), '', '', gapText(gap), '');
    return;
  }
  dom.el.className = `row lv-${row.level}`;
  const message = row.message.length > MESSAGE_CHARS ? `${row.message.slice(0, MESSAGE_CHARS)}…` : row.message;
  setTexts(
    dom,
    clockText(row.tsMs),
    LEVEL_LETTERS[row.level] ?? '?',
    visibleText(row.hostName || row.agent),
    row.source,
    row.instance === undefined ? '' : visibleText(names.instanceName(row.instance)),
    visibleText(message),
    inlineFields(row.fields),
  );
}

function setTexts(
  dom: RowDom,
  time: string,
  level: string,
  host: string,
  source: string,
  instance: string,
  message: string,
  fields: string,
): void {
  if (dom.time.data !== time) dom.time.data = time;
  if (dom.level.data !== level) dom.level.data = level;
  if (dom.host.data !== host) dom.host.data = host;
  if (dom.source.data !== source) dom.source.data = source;
  if (dom.instance.data !== instance) dom.instance.data = instance;
  if (dom.message.data !== message) dom.message.data = message;
  if (dom.fields.data !== fields) dom.fields.data = fields;
}
