import { html, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { countText, durationText, plural, spanText, utcText } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';
import { errorHint } from '../../models/error-hints.ts';
import type { CandidateModel, ScanModel } from '../../models/nouns.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { View, type ViewOptions } from '../base/view.ts';
import { EnrolDialog } from './enrol-dialog.ts';
import { meter, stateMark } from './marks.ts';

export interface DiscoveryOptions extends ViewOptions {
  deps: PageDeps;
}

const KINDS: [string, string][] = [
  ['whole', 'Whole range'],
  ['silent', 'Addresses that were silent'],
  ['no-agent', 'Machines without an agent'],
  ['known', 'Known agents'],
];
const STATES: Record<string, string> = {
  unenrolled: 'waits to be enrolled',
  'enrolled-here': 'enrolled',
  'enrolled-elsewhere': 'belongs to another manager',
  'not-an-agent': 'not an agent',
};
const SCANS_SHOWN = 6;

/** What the crawler found and what it is doing: the inbox of the fleet. */
export class DiscoveryPanel extends View<DiscoveryOptions> {
  declare error: string | null;
  declare sending: boolean;

  override preinitialize(options: DiscoveryOptions): void {
    super.preinitialize(options);
    this.tagName = 'section';
    this.className = 'discovery';
    this.error = null;
    this.sending = false;
  }

  override initialize(): void {
    const { candidates, scans } = this.options.deps.models;
    this.listenTo(candidates, 'update change loaded', this.redraw);
    this.listenTo(scans, 'update change loaded', this.redraw);
    this.every(1_000, () => this.redraw());
  }

  async scan(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.sending) return;
    const data = new FormData(event.target as HTMLFormElement);
    this.sending = true;
    this.error = null;
    this.redraw();
    try {
      await this.options.deps.scan(String(data.get('range')).trim(), String(data.get('kind')));
    } catch (error) {
      const { message, code } = error as { message: string; code?: string };
      this.error = [message, errorHint(code ?? '')].filter(Boolean).join(' ');
    }
    this.sending = false;
    this.redraw();
  }

  enrol(candidate: CandidateModel): void {
    new EnrolDialog({ parent: this, deps: this.options.deps, candidate }).open();
  }

  override template(): TemplateResult {
    const { candidates, scans } = this.options.deps.models;
    const listed = candidates.inbox();
    const lastRange = scans.at(0)?.get('range') ?? '';
    return html`<div class="section-title"><h2>Found on the network</h2><span class="dim">A scan only finds. Nothing is trusted until you enrol it.</span></div>
      <form class="scan-form" @submit=${(event: SubmitEvent) => void this.scan(event)}>
        <input class="form-control" name="range" placeholder="10.0.0.0/24" aria-label="Address range to scan" autocomplete="off" spellcheck="false" required .defaultValue=${lastRange} />
        <select class="form-select" name="kind" aria-label="What to scan">${KINDS.map(([kind, name]) => html`<option value=${kind}>${name}</option>`)}</select>
        <button type="submit" class="btn btn-accent" ?disabled=${this.sending}>${icon('radar')} Scan</button>
      </form>
      ${this.error === null ? null : html`<p class="form-error" role="alert">${visibleText(this.error)}</p>`}
      <div class="discovery-columns">
        <div class="inbox">${
          listed.length === 0
            ? html`<div class="empty empty-small"><h3>Nothing waits here</h3><p>Agents that a scan finds and nobody has enrolled appear here at once.</p></div>`
            : html`<ul class="candidates">${repeat(
                listed,
                (candidate) => candidate.id,
                (candidate) => this.candidate(candidate),
              )}</ul>`
        }</div>
        <div class="scans"><h3>Scans</h3>${
          scans.length === 0
            ? html`<p class="dim">No scan has run yet.</p>`
            : html`<ul>${repeat(
                scans.models.slice(0, SCANS_SHOWN),
                (scan) => scan.id,
                (scan) => this.scanRow(scan),
              )}</ul>`
        }</div>
      </div>`;
  }

  candidate(model: CandidateModel): TemplateResult {
    const found = model.attributes;
    const waits = found.state === 'unenrolled' && !found.vanished;
    return html`<li class="candidate ${found.vanished ? 'is-gone' : ''}">
      <div class="candidate-who"><b>${visibleText(found.claimedName ?? found.address!)}</b>${found.claimedName ? html`<span class="dim" title="The name is what the agent says of itself">says so itself</span>` : null}
        <small><code>${found.address}:${found.port}</code> ${visibleText([found.product, found.version].filter(Boolean).join(' '))}</small></div>
      <div class="candidate-state"><span>${found.vanished ? 'no longer answers' : STATES[found.state!]}</span>
        <small title=${utcText(found.lastSeenMs!)}>seen ${spanText(this.options.deps.nowMs() - found.lastSeenMs!)} ago${found.detail ? `, ${visibleText(found.detail)}` : ''}</small></div>
      ${waits ? html`<button type="button" class="btn btn-accent" @click=${() => this.enrol(model)}>Enrol</button>` : null}
    </li>`;
  }

  scanRow(model: ScanModel): TemplateResult {
    const scan = model.attributes;
    const running = scan.state === 'running' || scan.state === 'queued';
    const look = scan.state === 'queued' ? 'planned' : running ? 'job-running' : scan.state!;
    const spent = scan.startedMs && scan.endedMs ? `, ${durationText(scan.endedMs - scan.startedMs)}` : '';
    return html`<li class="scan">
      <div>${stateMark(scan.state!, null, look)}<b><code>${visibleText(scan.range!)}</code></b><span class="dim">${KINDS.find(([kind]) => kind === scan.kind)?.[1] ?? scan.kind}</span></div>
      ${scan.state === 'running' ? meter(scan.addresses! > 0 ? scan.scanned! / scan.addresses! : null, 'Scanned', `${countText(scan.scanned!)} of ${countText(scan.addresses!)}`) : null}
      <small class="dim">${running ? '' : `${plural(scan.scanned!, 'address', 'addresses')}, `}${plural(scan.up!, 'machine')} up, ${plural(scan.agents!, 'agent')}${spent}${scan.endedMs ? `, ${spanText(this.options.deps.nowMs() - scan.endedMs)} ago` : ''}, by ${visibleText(scan.actor!)}</small>
      ${scan.error ? html`<small class="tone-bad">${visibleText(scan.error)}</small>` : null}
    </li>`;
  }
}
