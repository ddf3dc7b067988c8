import type { Level, Line } from '../../../../../common/model/line.ts';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { clockText, countText, spanText } from '../../../dom/format.ts';
import { ansiRuns } from '../../../models/ansi.ts';
import { fieldOf, valueText } from '../../../models/line-fields.ts';
import { shortPlaceOf } from '../../../models/line-place.ts';
import { isMarker, type Marker, type StreamRow } from '../../../models/line-ring.ts';
import type { FoldedLine } from '../../../models/shown-rows.ts';
import type { Column, Times } from '../../../models/stream-look.ts';
import { inlineFields } from './inline-fields.ts';
import { type SpecialRow, specialRow } from './special-row.ts';

/** Letter of a level: levels are told apart by letter and shape as well as by colour. */
export const LEVEL_LETTERS: Record<Level, string> = { error: 'E', warn: 'W', info: 'I', debug: 'D' };

/** What a row shows of a line; the rest is in its detail. Longer messages would only cost layout. */
const MESSAGE_CHARS = 500;
const WRAPPED_CHARS = 2_000;
/** An agent's clock that is off by more is said beside the time. */
const SKEW_MS = 2_000;

/** How rows are written. */
export interface RowView {
  columns: readonly Column[];
  /** Names of the columns, and of what else needs no place behind the message. */
  shown: ReadonlySet<string>;
  times: Times;
  wrap: boolean;
  nowMs: () => number;
  instanceName(id: string): string;
}

/** One reused element of a stream with its text nodes: filling it changes text, never structure, but for colours. */
export interface RowDom {
  el: HTMLElement;
  /** Number of the row shown, or null while unused. */
  number: number | null;
  row: StreamRow | null;
  top: number;
  /** What the row is, and how it is marked: its classes. Both are written by `writeClass`. */
  kind: string;
  marks: string;
  className: string;
  action: string;
  /** One for each column, in order. */
  cells: Text[];
  count: HTMLElement;
  message: Text;
  coloured: boolean;
  fields: Text;
  /** Where a special row leads; made when it is first wanted. */
  link: HTMLAnchorElement | null;
}

export function createRowDom(columns: readonly Column[]): RowDom {
  const el = document.createElement('div');
  el.setAttribute('role', 'option');
  el.ariaSelected = 'false';
  el.hidden = true;
  const cell = (name: string, into: HTMLElement = el): Text => {
    const span = document.createElement('span');
    span.className = name;
    const text = document.createTextNode('');
    span.append(text);
    into.append(span);
    return text;
  };
  const cells = columns.map(({ field }) => cell(columnClass(field)));
  const body = document.createElement('span');
  body.className = 'c-body';
  const count = document.createElement('span');
  count.className = 'c-count';
  count.hidden = true;
  body.append(count);
  const message = cell('c-message', body);
  const fields = cell('c-fields', body);
  el.append(body);
  const none = { number: null, row: null, top: Number.NaN, kind: 'row', marks: '', className: '', action: '' };
  return { el, ...none, cells, count, message, coloured: false, fields, link: null };
}

const OWN_CLASSES = new Set(['time', 'level', 'host', 'source', 'instance']);

/** Class of a column's cells: its own for the usual ones, one for all others. A field's name is never a class. */
export function columnClass(field: string): string {
  return OWN_CLASSES.has(field) ? `c-${field}` : 'c-extra';
}

export function markerText(marker: Marker): string {
  const count = marker.count > 0 ? `${countText(marker.count)} ${marker.count === 1 ? 'line' : 'lines'} ` : '';
  return `${count}${marker.text}`;
}

/** Shows a row of the ring in an element. */
export function fillRow(dom: RowDom, row: StreamRow, view: RowView): void {
  dom.row = row;
  if (isMarker(row)) {
    setAction(dom, row.marker === 'connection' ? '' : row.loading ? 'loading' : 'load');
    dom.kind = `row row-special row-marker row-${row.marker}`;
    for (const cell of dom.cells) set(cell, '');
    fillSpecial(dom, { text: markerText(row), link: null });
    return;
  }
  setAction(dom, '');
  const special = specialRow(row, view.instanceName);
  if (special !== null) {
    dom.kind = `row row-special row-${special.kind}`;
    for (const [index, { field }] of view.columns.entries())
      set(dom.cells[index]!, field === 'time' ? cellText(row, field, view) : '');
    fillSpecial(dom, special);
    return;
  }
  if (dom.link !== null) dom.link.hidden = true;
  dom.kind = `row lv-${row.level}${row.sortMs !== undefined && Math.abs(row.sortMs - row.tsMs) >= SKEW_MS ? ' is-skewed' : ''}`;
  for (const [index, { field }] of view.columns.entries()) set(dom.cells[index]!, cellText(row, field, view));
  const { repeats } = row as FoldedLine;
  hide(dom.count, repeats === undefined);
  if (repeats !== undefined) {
    dom.count.textContent = repeats.open ? `${countText(repeats.count)}. of its kind` : `${countText(repeats.count)}×`;
  }
  const most = view.wrap ? WRAPPED_CHARS : MESSAGE_CHARS;
  const message = row.message.length > most ? `${row.message.slice(0, most)}…` : row.message;
  const options = view.wrap ? { keepNewlines: true } : {};
  const runs = ansiRuns(message, options);
  if (runs === null) setMessage(dom, visibleText(message, options));
  else {
    dom.coloured = true;
    const spans = runs.map(({ text, classes }) => {
      const span = document.createElement('span');
      span.className = classes;
      span.textContent = text;
      return span;
    });
    dom.el.querySelector('.c-message')!.replaceChildren(...spans);
  }
  set(dom.fields, inlineFields(row.fields, view.shown));
}

function cellText(line: Line, field: string, view: RowView): string {
  switch (field) {
    case 'time':
      return timeText(line.tsMs, view);
    case 'level':
      return LEVEL_LETTERS[line.level] ?? '?';
    case 'host':
      return visibleText(shortPlaceOf(line));
    case 'source':
      return line.source;
    case 'instance':
      return line.instance === undefined ? '' : visibleText(view.instanceName(line.instance));
    default:
      return visibleText(valueText(fieldOf(line, field)));
  }
}

export function timeText(tsMs: number, { times, nowMs }: Pick<RowView, 'times' | 'nowMs'>): string {
  if (times === 'local') return clockText(tsMs);
  if (times === 'ago') return `${spanText(nowMs() - tsMs)} ago`;
  const at = new Date(tsMs);
  return Number.isNaN(at.getTime()) ? '' : `${at.toISOString().slice(11, 23)}Z`;
}

/** A row that is about the stream: a sentence over the columns, and where more of it stands. */
function fillSpecial(dom: RowDom, { text, link }: Pick<SpecialRow, 'text' | 'link'>): void {
  dom.count.hidden = true;
  setMessage(dom, text);
  set(dom.fields, '');
  if (link !== null && dom.link === null) {
    dom.link = document.createElement('a');
    dom.link.className = 'c-link';
    // Rows are options of a list: by keys the same link stands in the open line.
    dom.link.tabIndex = -1;
    dom.message.parentElement!.after(dom.link);
  }
  if (dom.link === null) return;
  dom.link.hidden = link === null;
  if (link === null) return;
  dom.link.textContent = link.name;
  dom.link.href = link.href;
}

function setMessage(dom: RowDom, text: string): void {
  if (dom.coloured) {
    dom.el.querySelector('.c-message')!.replaceChildren(dom.message);
    dom.coloured = false;
  }
  set(dom.message, text);
}

/** Writes the classes where they changed: an element that is written is styled again, whatever was written. */
export function writeClass(dom: RowDom): void {
  const wanted = dom.kind + dom.marks;
  if (wanted === dom.className) return;
  dom.className = wanted;
  dom.el.className = wanted;
}

function setAction(dom: RowDom, action: string): void {
  if (action === dom.action) return;
  dom.action = action;
  dom.el.dataset['action'] = action;
}

function hide(el: HTMLElement, hidden: boolean): void {
  if (el.hidden !== hidden) el.hidden = hidden;
}

function set(node: Text, text: string): void {
  if (node.data !== text) node.data = text;
}
