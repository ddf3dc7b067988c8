import { html, nothing, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import { LEVELS, SOURCES } from '../../../../common/model/words.ts';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { clockText, dayTimeText } from '../../dom/format.ts';
import { type IconName, icon } from '../../dom/icons.ts';
import { byName } from '../../models/by-name.ts';
import { formatLogParams, type LogParams } from '../../models/log-filter.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { View, type ViewOptions } from '../base/view.ts';
import { streamError } from './query-error.ts';

export interface FilterBarOptions extends ViewOptions {
  deps: Pick<PageDeps, 'models' | 'go' | 'nowMs' | 'copy'>;
  params: LogParams;
}

const LEVEL_NAMES: Record<string, string> = { error: 'Errors', warn: 'Warnings', info: 'Info', debug: 'All' };
const RANGES: [string, number][] = [
  ['Past 15 minutes', 15 * 60_000],
  ['Past hour', 3_600_000],
  ['Past 6 hours', 6 * 3_600_000],
  ['Past 24 hours', 24 * 3_600_000],
  ['Past 7 days', 7 * 24 * 3_600_000],
];
/** Typing settles before the stream is asked again. */
const SETTLE_MS = 350;

/**
 * The filter of the stream. It changes the address only; the page follows the address. Events: `pause` and the names
 * of its tools (`facets`, `searches`, `jump`, `split`, `view`, `link`, `export`, `fleet`, `keeps`).
 */
export class FilterBar extends View<FilterBarOptions> {
  declare params: LogParams;
  declare error: { code: string; message: string } | null;
  declare following: boolean;
  declare settle: ReturnType<typeof setTimeout> | undefined;
  declare typed: string;

  override preinitialize(options: FilterBarOptions): void {
    super.preinitialize(options);
    this.className = 'filter-bar';
    this.params = options.params;
    this.typed = options.params.q ?? '';
    this.error = null;
    this.following = true;
  }

  override initialize(): void {
    this.listenTo(this.options.deps.models.hosts, 'update change:name', this.redraw);
    this.listenTo(this.options.deps.models.instances, 'update change:name', this.redraw);
    this.cleanup(() => clearTimeout(this.settle));
  }

  /** Shows other parameters: the address changed. What is being typed is kept. */
  show(params: LogParams): void {
    this.params = params;
    if (document.activeElement !== this.el.querySelector('input')) this.typed = params.q ?? '';
    this.redraw();
  }

  set(change: Partial<LogParams>): void {
    clearTimeout(this.settle);
    // What was typed a moment ago goes along: it has not settled yet, and is not forgotten for that.
    const wanted = { q: this.typed.trim(), ...change };
    const next = { ...this.params, ...wanted };
    for (const key of Object.keys(wanted) as (keyof LogParams)[]) if (!wanted[key]) delete next[key];
    if ('fromMs' in change) delete next.atMs;
    const query = formatLogParams(next);
    this.options.deps.go(query === '' ? '/live' : `/live?${query}`);
  }

  onType(event: Event): void {
    this.typed = (event.target as HTMLInputElement).value;
    clearTimeout(this.settle);
    this.settle = setTimeout(() => this.apply(), SETTLE_MS);
  }

  apply(): void {
    clearTimeout(this.settle);
    if (this.typed.trim() !== (this.params.q ?? '')) this.set({ q: this.typed.trim() });
  }

  override template(): TemplateResult {
    const { params } = this;
    const stored = params.fromMs !== undefined || params.toMs !== undefined;
    return html`
      <form class="filter-row" role="search" @submit=${(event: Event) => {
        event.preventDefault();
        this.apply();
      }}>
        <div class="search-box ${this.error?.code === 'bad-query' ? 'is-bad' : ''}">
          ${icon('search')}
          <input type="search" class="form-control" name="q" autocomplete="off" spellcheck="false" autocapitalize="off"
            placeholder='Search: words "a phrase" field:value -not /regex/' aria-label="Search lines"
            aria-invalid=${this.error?.code === 'bad-query' ? 'true' : 'false'} aria-describedby=${this.error === null ? nothing : 'stream-error'}
            .value=${live(this.typed)} @input=${(event: Event) => this.onType(event)} />
          <kbd class="search-key">/</kbd>
        </div>
        <span class="filter-tools">
          ${this.tool('facets', 'Facets (f)', 'facets')}${this.tool('star', 'Saved searches (s)', 'searches')}${this.tool('clock', 'Jump to a time (J)', 'jump')}
          ${this.tool('split', 'A second stream beside this one (|)', 'split')}${this.tool('view', 'View: columns, wrap, density, times (v)', 'view')}
          ${this.tool('link', 'Copy a link to this view (Y)', 'link')}${this.tool('download', 'Export these lines (e)', 'export')}${this.tool('panel', 'State of the fleet (F)', 'fleet')}
        </span>
        ${
          stored
            ? html`<button type="button" class="btn btn-accent" @click=${() => this.set({ fromMs: 0, toMs: 0 })}>${icon('play')} Live</button>`
            : html`<button type="button" class="btn btn-quiet btn-pause" aria-pressed=${this.following ? 'false' : 'true'}
              title="Pause or resume (space)" @click=${() => this.trigger('pause')}>
              ${icon(this.following ? 'pause' : 'play')} ${this.following ? 'Pause' : 'Resume'}</button>`
        }
        <div class="segments" role="radiogroup" aria-label="Least severe level">
          ${LEVELS.map((level) => {
            const on = (params.level ?? 'debug') === level;
            return html`<button type="button" role="radio" aria-checked=${on ? 'true' : 'false'} class=${`seg seg-${level}`}
              title=${level === 'debug' ? 'Every level' : `${level} and more severe`}
              @click=${() => this.set({ level: level === 'debug' ? '' : level })}>${LEVEL_NAMES[level]}</button>`;
          })}
        </div>
        ${this.choice('host', 'Host', this.hosts())}
        ${this.choice(
          'source',
          'Source',
          SOURCES.map((source) => [source, source] as [string, string]),
        )}
        ${this.choice('instance', 'Instance', this.instances())}
        ${this.range(stored)}
      </form>
      ${this.chips()}
      ${this.error === null ? null : streamError(this.error, params.q ?? '')}`;
  }

  tool(name: IconName, title: string, event: string): TemplateResult {
    return html`<button type="button" class="btn btn-icon tool-${event}" title=${title} aria-label=${title} @click=${() => this.trigger(event)}>${icon(name)}</button>`;
  }

  choice(key: 'host' | 'source' | 'instance', all: string, options: [string, string][]): TemplateResult {
    const value = this.params[key] ?? '';
    const known = value === '' || options.some(([id]) => id === value);
    return html`<select class="form-select choice ${value ? 'is-set' : ''}" aria-label=${all} .value=${live(value)}
      @change=${(event: Event) => this.set({ [key]: (event.target as HTMLSelectElement).value })}>
      <option value="" ?selected=${value === ''}>${all}</option>
      ${options.map(([id, name]) => html`<option value=${id} ?selected=${id === value}>${visibleText(name)}</option>`)}
      ${known ? null : html`<option value=${value} selected>${visibleText(value)}</option>`}
    </select>`;
  }

  range(stored: boolean): TemplateResult {
    return html`<select class="form-select ${stored ? 'is-set' : ''}" aria-label="Time range" .value=${stored ? 'set' : ''}
      @change=${(event: Event) => {
        const ms = Number((event.target as HTMLSelectElement).value);
        const now = this.options.deps.nowMs();
        this.set(ms > 0 ? { fromMs: now - ms, toMs: now } : { fromMs: 0, toMs: 0 });
      }}>
      <option value="" ?selected=${!stored}>Live</option>
      ${stored ? html`<option value="set" selected>Range</option>` : null}
      ${RANGES.map(([name, ms]) => html`<option value=${String(ms)}>${name}</option>`)}
    </select>`;
  }

  chips(): TemplateResult | null {
    const { params } = this;
    const chip = (text: string, clear: Partial<LogParams>) =>
      html`<span class="chip">${text}<button type="button" aria-label="Remove ${text}" @click=${() => this.set(clear)}>${icon('close')}</button></span>`;
    const range =
      params.fromMs === undefined && params.toMs === undefined ? null : chip(rangeText(params), { fromMs: 0, toMs: 0 });
    const job = params.job ? chip(`job ${params.job.slice(0, 8)}`, { job: '' }) : null;
    const session = params.session ? chip(`session ${params.session.slice(0, 8)}`, { session: '' }) : null;
    if (range === null && job === null && session === null) return null;
    const keep =
      range === null
        ? null
        : html`<button type="button" class="btn btn-sm btn-quiet" title="Keep these lines beyond their age (K)" @click=${() => this.trigger('keeps')}>${icon('pin')} Keep</button>`;
    return html`<div class="chips">${range}${keep}${job}${session}</div>`;
  }

  hosts(): [string, string][] {
    return this.options.deps.models.hosts.map((host) => [String(host.id), host.get('name')!]);
  }

  instances(): [string, string][] {
    return this.options.deps.models.instances
      .map((instance): [string, string] => [String(instance.id), instance.get('name')!])
      .sort((a, b) => byName(a[1], b[1]));
  }
}

function rangeText({ fromMs, toMs }: LogParams): string {
  if (fromMs === undefined) return `until ${dayTimeText(toMs!)}`;
  if (toMs === undefined) return `from ${dayTimeText(fromMs)}`;
  const sameDay = new Date(fromMs).toDateString() === new Date(toMs).toDateString();
  return `${dayTimeText(fromMs)} to ${sameDay ? clockText(toMs).slice(0, 8) : dayTimeText(toMs)}`;
}
