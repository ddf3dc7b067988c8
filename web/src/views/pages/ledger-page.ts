import { html, svg, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import type { LedgerEntry, StoredGap } from '../../../../common/model/ledger.ts';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { countText, dayTimeText, plural, utcText } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';
import { reasonText } from '../../models/gap-reasons.ts';
import {
  type AgentLedger,
  byAgent,
  type FillOutcome,
  missingOf,
  shownEpochs,
  stripOf,
  totalsOf,
} from '../../models/ledger.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { Page } from '../base/page.ts';
import { StorePanel } from '../widgets/store-panel.ts';
import { WaysInPanel } from '../widgets/ways-in-panel.ts';

/** Gaps of one epoch that stand below its strip before more are asked for. */
const SHOWN_GAPS = 5;

/** What became of every line: received, missing and why, waiting. A gap can be filled from the spool of its agent. */
export class LedgerPage extends Page<PageDeps> {
  /** Agents of which every epoch, and epochs of which every gap is shown. */
  declare opened: Set<string>;
  /** What came of filling, by epoch and gap; 'busy' while it is under way. */
  declare outcomes: Map<string, FillOutcome | 'busy' | Error>;
  /** Agent that the address names: it is brought into view once it is here. */
  declare wanted: string | null;
  declare waysIn: WaysInPanel;
  declare store: StorePanel;

  override initialize(): void {
    this.el.classList.add('page-ledger');
    this.opened = new Set();
    this.outcomes = new Map();
    this.wanted = new URLSearchParams(this.query).get('agent');
    const following = this.deps.follow.ledger();
    this.cleanup(() => following.close());
    this.listenTo(this.deps.models.ledger, 'update change loaded', this.redraw);
    this.waysIn = new WaysInPanel({ parent: this, deps: this.deps });
    this.store = new StorePanel({ parent: this, deps: this.deps });
    this.listenTo(this.store, 'change', this.redraw);
  }

  override title(): string {
    return 'Ledger';
  }

  override template(): TemplateResult {
    const { ledger } = this.deps.models;
    const entries = ledger.map(({ attributes }) => attributes as LedgerEntry);
    return html`<div class="page-title"><h1>Ledger of lines</h1>
        <div class="title-end"><button type="button" class="btn btn-quiet" title="Lines that are not deleted when they become old" @click=${() => void this.openKeeps()}>${icon('pin')} Kept times</button></div></div>
      ${
        entries.length === 0
          ? ledger.loaded
            ? html`<div class="empty"><h2>No line was received yet</h2><p>Enrol a host: every line that its agent numbers is accounted for here.</p><a class="btn btn-accent" href="#/hosts">To the hosts</a></div>`
            : html`<div class="empty"><span class="spinner"></span></div>`
          : html`${this.totals(entries)}${repeat(
              byAgent(entries),
              ({ agent }) => agent,
              (agent) => this.agent(agent),
            )}`
      }
      ${this.store.draw().el}
      ${this.waysIn.draw().el}`;
  }

  override draw(): this {
    super.draw();
    const wanted = this.el.querySelector('.is-wanted:not(.is-shown)');
    if (wanted !== null && this.el.isConnected) {
      wanted.classList.add('is-shown');
      wanted.scrollIntoView({ block: 'center' });
    }
    return this;
  }

  totals(entries: readonly LedgerEntry[]): TemplateResult {
    const { agents, lines, lost, gaps, waiting, duplicates } = totalsOf(entries);
    const nothing = gaps === 0;
    const damaged = this.store.isDamaged();
    const bad = lost > 0 || damaged;
    return html`<p class="ledger-verdict ${bad ? 'is-lost' : 'is-whole'}">${icon(bad ? 'warn' : 'check')}
        <span>${
          nothing
            ? 'Nothing was ever lost: every number that an agent gave to a line is stored.'
            : lost === 0
              ? 'Nothing is missing: every gap was filled.'
              : `${plural(lost, 'line')} ${lost === 1 ? 'is' : 'are'} missing, all declared.`
        }${damaged ? ' But the disk lost some of what was stored: see “The store” below.' : ''}</span></p>
      <dl class="fact-row">
        <div><dt>Received</dt><dd>${countText(lines)}</dd></div>
        <div><dt>Missing</dt><dd>${countText(lost)}</dd></div>
        <div><dt>Gaps</dt><dd>${countText(gaps)}</dd></div>
        <div><dt>Waiting in spools</dt><dd>${countText(waiting)}</dd></div>
        <div><dt title="Frames that came again and were not stored again, since the manager started">Duplicates refused</dt><dd>${countText(duplicates)}</dd></div>
        <div><dt>From</dt><dd>${plural(agents, 'sender')}</dd></div>
      </dl>
      <p class="ledger-key" aria-hidden="true"><i class="k-received"></i>received <i class="k-lost"></i>missing <i class="k-filled"></i>filled later <i class="k-waiting"></i>waiting</p>`;
  }

  agent(agent: AgentLedger): TemplateResult {
    const all = this.opened.has(agent.agent);
    const shown = shownEpochs(agent, all);
    const hidden = agent.epochs.length - shown.length;
    const name = visibleText(agent.name);
    return html`<section class="ledger-agent ${agent.agent === this.wanted ? 'is-wanted' : ''}" aria-label=${name}>
      <h2>${agent.host === '' ? name : html`<a href="#/hosts/${encodeURIComponent(agent.host)}">${name}</a>`}</h2>
      ${repeat(
        shown,
        ({ epoch }) => epoch,
        (entry) => this.epoch(entry),
      )}
      ${
        hidden > 0 || all
          ? html`<button type="button" class="btn btn-sm btn-quiet" aria-expanded=${all ? 'true' : 'false'} @click=${() => this.toggle(agent.agent)}>
              ${all ? 'Only the newest and those with gaps' : `${plural(hidden, 'older epoch')} without a loss`}</button>`
          : null
      }
    </section>`;
  }

  epoch(entry: LedgerEntry): TemplateResult {
    const { epoch, next, lines, lost, waiting, duplicates, gaps, gapCount, firstMs, lastMs } = entry;
    const key = `${entry.agent}/${epoch}`;
    const every = this.opened.has(key);
    const shown = every ? gaps : gaps.slice(0, SHOWN_GAPS);
    const words = [
      `${countText(lines)} received`,
      lost > 0 ? `${countText(lost)} missing` : null,
      waiting === null || waiting === 0 ? null : `${countText(waiting)} waiting`,
      duplicates > 0 ? `${plural(duplicates, 'duplicate')} refused` : null,
    ].filter((text) => text !== null);
    return html`<article class="ledger-epoch">
      <header><code title="Epoch: a new one begins when an agent must number anew">${epoch}</code>
        <span class="dim" title="${utcText(firstMs ?? 0)} to ${utcText(lastMs ?? 0)}">${dayTimeText(firstMs ?? 0).slice(0, 16)} – ${dayTimeText(lastMs ?? 0).slice(0, 16)}</span>
        <span class="ledger-count">${words.join(', ')}</span></header>
      <svg class="ledger-strip" viewBox="0 0 1000 16" preserveAspectRatio="none" role="img" aria-label="Numbers 0 to ${countText(Math.max(0, next - 1))}: ${words.join(', ')}">
        ${stripOf(entry).map(
          ({ kind, x, width, gap }) =>
            svg`<rect class="s-${kind}" x=${x} y="0" width=${width} height="16" @click=${gap === null ? null : () => this.deps.go(this.around(entry, gap))}>${gap === null ? null : svg`<title>${this.gapText(gap)}</title>`}</rect>`,
        )}</svg>
      ${gaps.length === 0 ? null : html`<ul class="ledger-gaps">${shown.map((gap) => this.gap(entry, gap))}</ul>`}
      ${
        gaps.length > SHOWN_GAPS
          ? html`<button type="button" class="btn btn-sm btn-quiet" aria-expanded=${every ? 'true' : 'false'} @click=${() => this.toggle(key)}>${every ? 'Fewer gaps' : `${plural(gapCount - SHOWN_GAPS, 'more gap')}`}</button>`
          : null
      }
      ${every && gapCount > gaps.length ? html`<p class="dim">The newest ${gaps.length} of ${countText(gapCount)} gaps.</p>` : null}
    </article>`;
  }

  gapText(gap: StoredGap): string {
    const count = gap.to - gap.from + 1;
    const range =
      count === 1 ? `number ${countText(gap.from)}` : `numbers ${countText(gap.from)} to ${countText(gap.to)}`;
    return `${plural(count, 'line')}, ${range}: ${visibleText(reasonText(gap.reason))}`;
  }

  gap(entry: LedgerEntry, gap: StoredGap): TemplateResult {
    const missing = missingOf(gap);
    const told = gap.firstTsMs ?? gap.receivedMs;
    const outcome = this.outcomes.get(this.gapKey(entry, gap));
    return html`<li class=${missing === 0 ? 'is-filled' : ''}>
      <span class="gap-words">${icon(missing === 0 ? 'check' : 'warn')}<span>${this.gapText(gap)}
        <small title=${utcText(told)}>${dayTimeText(told)}${gap.filled > 0 ? `, ${missing === 0 ? 'filled later' : `${countText(gap.filled)} filled later`}` : ''}</small></span></span>
      <span class="gap-actions"><a class="btn btn-sm btn-quiet" href="#${this.around(entry, gap)}">Lines around</a>
        ${
          missing > 0 && entry.host !== ''
            ? html`<button type="button" class="btn btn-sm btn-quiet" ?disabled=${outcome === 'busy'} @click=${() => void this.fill(entry, gap)}>${outcome === 'busy' ? html`<span class="spinner"></span> Asking the agent` : 'Fill'}</button>`
            : null
        }</span>
      <span class="gap-outcome" role="status">${this.outcomeText(outcome)}</span>
    </li>`;
  }

  outcomeText(outcome: FillOutcome | 'busy' | Error | undefined): string {
    if (outcome === undefined || outcome === 'busy') return '';
    if (outcome instanceof Error) return `It could not be filled: ${visibleText(outcome.message)}`;
    const { filled, stillMissing, reason } = outcome;
    const came = filled === 0 ? '' : `${plural(filled, 'line')} came in. `;
    if (stillMissing === 0) return filled === 0 ? 'Nothing is missing here any more.' : `${came}The gap is closed.`;
    return `${came}${countText(stillMissing)} still missing: ${visibleText(reason ?? '')}`;
  }

  gapKey({ agent, epoch }: LedgerEntry, { from }: StoredGap): string {
    return `${agent}/${epoch}/${from}`;
  }

  /** A gap is a line too, under its first number. */
  around({ agent, epoch }: LedgerEntry, { from }: StoredGap): string {
    return `/lines/${encodeURIComponent(`${agent}.${epoch}.${from}`)}`;
  }

  async fill(entry: LedgerEntry, gap: StoredGap): Promise<void> {
    const key = this.gapKey(entry, gap);
    this.outcomes.set(key, 'busy');
    this.redraw();
    const { fillGap } = this.deps.operations;
    const outcome = await fillGap(entry.agent, entry.epoch, gap).catch((error: unknown) => error as Error);
    this.outcomes.set(key, outcome);
    this.redraw();
  }

  async openKeeps(): Promise<void> {
    const kinds = await import('../widgets/stream/stream-tools.ts').catch(() => null);
    if (kinds === null || this.destroyed || document.querySelector('dialog[open]') !== null) return;
    new kinds.KeepsDialog({ parent: this, deps: this.deps, params: {} }).open();
  }

  toggle(key: string): void {
    if (!this.opened.delete(key)) this.opened.add(key);
    this.redraw();
  }
}
