import { html, type TemplateResult } from 'lit-html';
import { type IconName, icon, logo } from '../../dom/icons.ts';
import type { ThemeChoice } from '../../dom/theme.ts';
import type { Models } from '../../models/nouns.ts';
import { View, type ViewOptions } from '../base/view.ts';

export interface RailOptions extends ViewOptions {
  models: Models;
  theme: () => ThemeChoice;
  nextTheme: () => void;
  openJobs: () => void;
  openHelp: () => void;
  openPalette: () => void;
  signOut: () => void;
  email: string;
  version: string;
}

const PLACES: [page: string, icon: IconName, name: string, key: string][] = [
  ['live', 'live', 'Live', 'g l'],
  ['hosts', 'hosts', 'Hosts', 'g h'],
  ['instances', 'instances', 'Instances', 'g i'],
  ['images', 'images', 'Images', 'g b'],
  ['compute', 'compute', 'Compute', 'g c'],
  ['ledger', 'ledger', 'Ledger', 'g e'],
  ['rules', 'bell', 'Rules', 'g r'],
];
/** Not in the bar of narrow screens, where there is no room: reached by the search for anything. */
const SELDOM = new Set(['images', 'ledger']);
const PART_OF: Record<string, string> = {
  host: 'hosts',
  instance: 'instances',
  line: 'live',
  session: 'compute',
  rule: 'rules',
};
const THEME_NAMES: Record<ThemeChoice, string> = {
  auto: 'Colours: as the system',
  dark: 'Colours: dark',
  light: 'Colours: light',
};

/** The way around: a rail at the left, a bar at the bottom of narrow screens. */
export class Rail extends View<RailOptions> {
  declare page: string;

  override preinitialize(options: RailOptions): void {
    super.preinitialize(options);
    this.tagName = 'nav';
    this.className = 'rail';
    this.page = 'live';
  }

  override initialize(): void {
    this.el.setAttribute('aria-label', 'Main');
    const { jobs, candidates, rules } = this.options.models;
    this.listenTo(jobs, 'update change:state loaded', this.redraw);
    this.listenTo(candidates, 'update change loaded', this.redraw);
    this.listenTo(rules, 'update change:state loaded', this.redraw);
  }

  show(page: string): void {
    this.page = PART_OF[page] ?? page;
    this.redraw();
  }

  override template(): TemplateResult {
    const { options } = this;
    const active = options.models.jobs.active().length;
    const waiting = options.models.candidates.waiting().length;
    const firing = options.models.rules.firing().length;
    const theme = options.theme();
    return html`
      <a class="rail-brand" href="#/live" title="WebVirt ${options.version}" aria-label="WebVirt, to the live stream">${logo()}</a>
      <div class="rail-places">
        ${PLACES.map(
          ([
            page,
            name,
            label,
            key,
          ]) => html`<a href="#/${page}" class="rail-item ${SELDOM.has(page) ? 'rail-wide' : ''}" title="${label} (${key})"
            aria-current=${this.page === page ? 'page' : 'false'}>
            ${icon(name)}<span>${label}</span>
            ${page === 'rules' && firing > 0 ? html`<b class="count" aria-label="${firing} firing">${firing}</b>` : null}
            ${page === 'hosts' && waiting > 0 ? html`<b class="count" aria-label="${waiting} to enrol">${waiting}</b>` : null}
          </a>`,
        )}
        <button type="button" class="rail-item" title="Jobs (g j)" aria-current=${this.page === 'jobs' ? 'page' : 'false'} @click=${options.openJobs}>
          ${icon('jobs')}<span>Jobs</span>${active > 0 ? html`<b class="count is-busy" aria-label="${active} running">${active}</b>` : null}
        </button>
      </div>
      <div class="rail-end">
        <button type="button" class="rail-item" title="Go to anything (Ctrl K)" aria-label="Go to anything" @click=${options.openPalette}>${icon('search')}</button>
        <button type="button" class="rail-item" title=${THEME_NAMES[theme]} aria-label=${THEME_NAMES[theme]} @click=${() => {
          options.nextTheme();
          this.redraw();
        }}>${icon(theme)}</button>
        <button type="button" class="rail-item" title="Keys and help (?)" aria-label="Keys and help" @click=${options.openHelp}>${icon('help')}</button>
        <button type="button" class="rail-item" title="Sign out ${options.email}" aria-label="Sign out" @click=${options.signOut}>${icon('out')}</button>
      </div>`;
  }
}
