import { html, type TemplateResult } from 'lit-html';
import type { SavedSearch } from '../../../../../common/model/search.ts';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { download } from '../../../dom/download.ts';
import { dayTimeText, plural } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';
import { apiQuery, filterOf, type LogParams } from '../../../models/log-filter.ts';
import type { PageDeps } from '../../../models/page-deps.ts';
import { searchNote } from '../../../models/saved-searches.ts';
import type { Counted } from '../../../models/stored-lines.ts';
import { DialogView } from '../../base/dialog.ts';
import type { ViewOptions } from '../../base/view.ts';
import { unreadableText } from '../unreadable-text.ts';

export interface ExportDialogOptions extends ViewOptions {
  deps: Pick<PageDeps, 'nowMs' | 'stored'>;
  params: LogParams;
}

const MINUTE_MS = 60_000;
const FORMATS = {
  ndjson: { name: 'NDJSON', note: 'A line of JSON each: for programs. It reads back unchanged.', ending: 'ndjson' },
  csv: { name: 'CSV', note: 'For a spreadsheet. Hidden characters are made visible.', ending: 'csv' },
  text: { name: 'Text', note: 'For people. Hidden characters are made visible.', ending: 'log' },
} as const;
type Format = keyof typeof FORMATS;

interface Span {
  id: string;
  name: string;
  /** Null: everything that is stored. */
  range: Pick<LogParams, 'fromMs' | 'toMs'> | null;
}

/**
 * Downloads the lines of a filter: of which time, in which form, and how many that will be. The manager streams them as fast
 * as the browser takes them; there is no limit.
 */
export class ExportDialog extends DialogView<ExportDialogOptions> {
  declare spans: Span[];
  declare span: Span;
  declare format: Format;
  /** Lines by span; null while they are counted. */
  declare counts: Map<string, Counted | null | Error>;

  override preinitialize(options: ExportDialogOptions): void {
    super.preinitialize(options);
    this.className = 'dialog export-dialog';
    this.format = 'ndjson';
    this.counts = new Map();
    const { params, deps } = options;
    const nowMs = deps.nowMs();
    const past = (id: string, name: string, minutes: number): Span => ({
      ...{ id, name },
      range: { fromMs: nowMs - minutes * MINUTE_MS, toMs: nowMs },
    });
    const { fromMs, toMs } = params;
    const chosen = {
      ...(fromMs === undefined ? {} : { fromMs }),
      ...(toMs === undefined ? {} : { toMs }),
    };
    this.spans = [
      ...(fromMs === undefined && toMs === undefined ? [] : [{ id: 'chosen', name: 'Chosen range', range: chosen }]),
      past('15m', '15 minutes', 15),
      past('1h', '1 hour', 60),
      past('1d', '1 day', 1_440),
      past('7d', '7 days', 10_080),
      { id: 'all', name: 'Everything', range: null },
    ];
    this.span = this.spans[0]!;
  }

  override initialize(): void {
    void this.count();
  }

  params(): LogParams {
    return { ...filterOf(this.options.params), ...this.span.range };
  }

  async count(): Promise<void> {
    const { id } = this.span;
    const known = this.counts.get(id);
    if (known && !(known instanceof Error)) return;
    this.counts.set(id, null);
    const found = await this.options.deps.stored.count(this.params()).catch((error: unknown) => error as Error);
    this.counts.set(id, found);
    if (!this.destroyed) this.draw();
  }

  override template(): TemplateResult {
    const filter = searchNote({ query: filterOf(this.options.params) as SavedSearch['query'] });
    return html`<header><h2 id="dialog-title">Export lines</h2>
        <button type="button" class="btn btn-icon" aria-label="Close" @click=${() => this.close()}>${icon('close')}</button></header>
      <p class="search-note">${visibleText(filter)}</p>
      <h3 id="export-span">Time</h3>
      <div class="segments" role="radiogroup" aria-labelledby="export-span">${this.spans.map(
        (span) =>
          html`<button type="button" role="radio" class="seg" aria-checked=${span === this.span ? 'true' : 'false'} @click=${() => this.choose(span)}>${span.name}</button>`,
      )}</div>
      <p class="export-count" role="status">${this.countText()} <span class="dim">${rangeText(this.span.range)}</span></p>
      ${this.lost()}
      <h3 id="export-form">Format</h3>
      <div class="export-forms" role="radiogroup" aria-labelledby="export-form">${Object.entries(FORMATS).map(
        ([id, { name, note }]) =>
          html`<label class="export-form"><input type="radio" class="form-check-input" name="format" value=${id} .checked=${this.format === id} @change=${() => this.take(id as Format)} /><b>${name}</b><span class="dim">${note}</span></label>`,
      )}</div>
      <footer class="dialog-foot"><span class="dim">Oldest first. A download that breaks off is not complete.</span>
        <button type="button" class="btn btn-accent" data-first ?disabled=${this.isEmpty()} @click=${() => this.download()}>${icon('download')} Download</button></footer>`;
  }

  countText(): string {
    const found = this.counted();
    if (found instanceof Error) return `They could not be counted: ${visibleText(found.message)}`;
    if (found === null || found === undefined) return 'Counting…';
    return found.count === 0 ? 'No line' : plural(found.count, 'line');
  }

  counted(): Counted | null | undefined | Error {
    return this.counts.get(this.span.id);
  }

  /** A browser does not show what stands behind the last line of a download: it is said here. */
  lost(): TemplateResult | null {
    const found = this.counted();
    const text = found && !(found instanceof Error) ? unreadableText(found.unreadable ?? []) : '';
    return text === ''
      ? null
      : html`<p class="export-lost" role="status">${text}. They will be missing in the file.</p>`;
  }

  isEmpty(): boolean {
    const found = this.counted();
    return found !== null && found !== undefined && !(found instanceof Error) && found.count === 0;
  }

  choose(span: Span): void {
    this.span = span;
    void this.count();
    this.draw();
  }

  take(format: Format): void {
    this.format = format;
    this.draw();
  }

  download(): void {
    const { format } = this;
    download(`/api/v1/logs/export?${apiQuery(this.params(), { format })}`, `webvirt-lines.${FORMATS[format].ending}`);
    this.close();
  }
}

function rangeText(range: Span['range']): string {
  if (range === null) return 'of all that is stored';
  const { fromMs, toMs } = range;
  if (fromMs === undefined) return toMs === undefined ? '' : `until ${dayTimeText(toMs)}`;
  return toMs === undefined ? `since ${dayTimeText(fromMs)}` : `${dayTimeText(fromMs)} – ${dayTimeText(toMs)}`;
}
