import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { countText } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';
import { type Facets, type FacetValue, USUAL_FACETS } from '../../models/facets.ts';
import { fieldNames } from '../../models/line-fields.ts';
import { isMarker } from '../../models/line-ring.ts';
import type { LineWindow } from '../../models/line-window.ts';
import type { LogParams } from '../../models/log-filter.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { View, type ViewOptions } from '../base/view.ts';
import { unreadableText } from './unreadable-text.ts';

export interface FacetsPanelOptions extends ViewOptions {
  deps: Pick<PageDeps, 'models' | 'look'>;
  facets: Facets;
  window: LineWindow;
  params: LogParams;
  live: boolean;
  addFilter: (field: string, value: string, exclude: boolean) => void;
  onClose: () => void;
}

const RELOAD_MS = 15_000;
const LOOK_MS = 3_000;
const SAMPLE_LINES = 300;

/** What the lines of the stream are made of: values of fields with their share; a click adds or excludes one. */
export class FacetsPanel extends View<FacetsPanelOptions> {
  /** Places of the values of each field, as they were drawn last. */
  declare order: Map<string, Map<string, number>>;

  override preinitialize(options: FacetsPanelOptions): void {
    super.preinitialize(options);
    this.tagName = 'aside';
    this.className = 'facets';
    this.order = new Map();
  }

  override initialize(): void {
    const { facets, deps, live } = this.options;
    this.el.setAttribute('aria-label', 'Facets');
    this.listenTo(facets, 'change', this.redraw);
    this.listenTo(deps.models.instances, 'loaded', this.redraw);
    this.listenTo(deps.models.hosts, 'loaded', this.redraw);
    this.every(LOOK_MS, () => this.lookForFields());
    if (live) this.every(RELOAD_MS, () => document.hidden || void facets.load());
    this.listenToOnce(this.options.window, 'rows reshape', () => this.lookForFields());
    this.cleanup(() => facets.close());
    void facets.load();
  }

  /** Names of fields come from the newest lines that are here. */
  lookForFields(): void {
    const { ring } = this.options.window;
    const lines = [];
    for (let n = Math.max(ring.first, ring.end - SAMPLE_LINES); n < ring.end; n += 1) {
      const row = ring.at(n)!;
      if (!isMarker(row)) lines.push(row);
    }
    this.options.facets.saw(fieldNames(lines));
  }

  toggle(field: string): void {
    const { facets, deps } = this.options;
    facets.toggle(field);
    deps.look.set({ openFacets: facets.open });
  }

  override template(): TemplateResult {
    const { facets } = this.options;
    const more = facets.seen.filter((field) => !USUAL_FACETS.includes(field));
    return html`<header class="facets-head"><h2>Facets</h2><span class="dim">${this.options.live ? 'past 15 min' : 'of this range'}</span>
        <button type="button" class="btn btn-icon btn-sm" title="Hide the facets (f)" aria-label="Hide the facets" @click=${this.options.onClose}>${icon('close')}</button></header>
      ${facets.failed ? html`<p class="empty-hint">${this.options.window.error?.code === 'bad-query' ? 'They are counted once the filter can be read.' : 'They cannot be counted at the moment.'}</p>` : null}
      ${facets.unreadable.length === 0 ? null : html`<p class="facets-lost" role="status">${unreadableText(facets.unreadable)}</p>`}
      ${USUAL_FACETS.map((field) => this.facet(field))}
      ${more.length === 0 ? null : html`<h3>Fields seen</h3>`}
      ${more.map((field) => this.facet(field))}`;
  }

  facet(field: string): TemplateResult {
    const { facets } = this.options;
    const open = facets.isOpen(field);
    const values = facets.values.get(field) ?? null;
    return html`<section class="facet">
      <button type="button" class="facet-name" aria-expanded=${open ? 'true' : 'false'} @click=${() => this.toggle(field)}>${icon(open ? 'down' : 'chevron')}<b>${visibleText(field)}</b></button>
      ${!open ? null : values === null ? html`<p class="facet-none">${facets.failed ? '–' : '…'}</p>` : values.length === 0 ? html`<p class="facet-none">no value</p>` : this.list(field, values)}
    </section>`;
  }

  list(field: string, values: readonly FacetValue[]): TemplateResult {
    const rows = this.still(field, values);
    const most = values.reduce((peak, { count }) => Math.max(peak, count), 1);
    const on = this.options.params[field as keyof LogParams];
    return html`<ul>${rows.map(({ value, count, name: given, term = [field, value] }) => {
      const name = visibleText(given ?? this.nameOf(field, value));
      const add = (exclude: boolean) => this.options.addFilter(term[0], term[1], exclude);
      return html`<li class=${on === value ? 'is-on' : ''}>
        <button type="button" class="facet-value" title="Show only ${visibleText(field)} ${name}" @click=${() => add(false)}>
          <span class=${field === 'level' ? `facet-text is-${value.replaceAll(/\W/g, '')}` : 'facet-text'}>${name}</span><span class="facet-count">${countText(count)}</span>
          <progress class=${field === 'level' ? `bar bar-${value.replaceAll(/\W/g, '')}` : 'bar'} max=${most} .value=${count} aria-hidden="true"></progress>
        </button>
        <button type="button" class="facet-not" title="Hide ${visibleText(field)} ${name}" aria-label="Hide lines with ${visibleText(field)} ${name}" @click=${() => add(true)}>−</button>
      </li>`;
    })}</ul>`;
  }

  /** While the pointer or the keys are in the panel, values keep their places; new ones come behind. */
  still(field: string, values: readonly FacetValue[]): readonly FacetValue[] {
    const before = this.order.get(field);
    let rows = values;
    if (before !== undefined && this.el.matches(':hover, :focus-within')) {
      const at = (value: string) => before.get(value) ?? before.size;
      rows = [...values].sort((a, b) => at(a.value) - at(b.value));
    }
    this.order.set(field, new Map(rows.map(({ value }, index) => [value, index])));
    return rows;
  }

  /** People read names; hosts and instances are counted by id. */
  nameOf(field: string, value: string): string {
    const { models } = this.options.deps;
    if (field === 'host') return models.hosts.get(value)?.get('name') ?? value;
    if (field === 'instance') return models.instances.get(value)?.get('name') ?? value;
    return value;
  }
}
