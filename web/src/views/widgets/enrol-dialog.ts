import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { spanText } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';
import { errorHint } from '../../models/error-hints.ts';
import type { CandidateModel } from '../../models/nouns.ts';
import type { EnrolOffer, PageDeps } from '../../models/page-deps.ts';
import { DialogView } from '../base/dialog.ts';
import type { ViewOptions } from '../base/view.ts';

export interface EnrolOptions extends ViewOptions {
  deps: Pick<PageDeps, 'enrol' | 'copy' | 'nowMs' | 'models'>;
  candidate: CandidateModel;
}

/** Shows the one line to paste on the host, how long it holds, and turns green when the host is there. */
export class EnrolDialog extends DialogView<EnrolOptions> {
  declare offer: EnrolOffer | null;
  declare error: string | null;

  override preinitialize(options: EnrolOptions): void {
    super.preinitialize(options);
    this.className = 'dialog dialog-wide';
    this.offer = null;
    this.error = null;
  }

  override initialize(): void {
    this.listenTo(this.options.candidate, 'change', this.redraw);
    this.listenTo(this.options.deps.models.hosts, 'update change:state', this.redraw);
    this.every(1_000, () => this.redraw());
    void this.ask();
  }

  async ask(): Promise<void> {
    this.error = null;
    this.offer = null;
    this.redraw();
    try {
      this.offer = await this.options.deps.enrol(String(this.options.candidate.id));
    } catch (error) {
      const { message, code } = error as { message: string; code?: string };
      this.error = [message, errorHint(code ?? '')].filter(Boolean).join(' ');
    }
    this.redraw();
  }

  override template(): TemplateResult {
    const { candidate, deps } = this.options;
    const name = visibleText(candidate.get('claimedName') ?? candidate.get('address')!);
    const host = deps.models.hosts.get(String(candidate.id));
    const done = host !== undefined || candidate.get('state') === 'enrolled-here';
    return html`<header><h2 id="dialog-title">${done ? `${name} is enrolled` : `Enrol ${name}`}</h2>
        <button type="button" class="btn btn-icon" aria-label="Close" @click=${() => this.close()}>${icon('close')}</button></header>
      ${done ? this.doneBody(host !== undefined) : this.offerBody()}`;
  }

  offerBody(): TemplateResult {
    const { candidate, deps } = this.options;
    if (this.error !== null) {
      return html`<p class="form-error" role="alert">${visibleText(this.error)}</p><footer><button type="button" class="btn btn-accent" @click=${() => void this.ask()}>Try again</button></footer>`;
    }
    if (this.offer === null) return html`<p class="dim">Making a one-time token…</p>`;
    const { command, expiresMs } = this.offer;
    const leftMs = expiresMs === null ? null : expiresMs - deps.nowMs();
    if (leftMs !== null && leftMs <= 0) {
      return html`<p>The token has expired without being used.</p><footer><button type="button" class="btn btn-accent" @click=${() => void this.ask()}>Make a new one</button></footer>`;
    }
    return html`<ol class="steps">
        <li>Sign in on <b>${candidate.get('address')}</b> as root.</li>
        <li>Paste this line. It works once, for this agent alone${leftMs === null ? '' : html`, for <b>${spanText(leftMs)}</b>`}.
          <div class="paste"><code>${visibleText(command)}</code><button type="button" class="btn btn-accent btn-sm" data-first @click=${() => deps.copy(command, 'Line')}>${icon('copy')} Copy</button></div></li>
        <li><span class="spinner" aria-hidden="true"></span> Waiting for the agent. This turns green by itself.</li>
      </ol>
      <p class="dim">Key of the agent: <code>${String(candidate.id)}</code>. Compare it with <code>webvirt agent status</code> on the host.</p>`;
  }

  doneBody(listed: boolean): TemplateResult {
    return html`<p class="good-note" role="status">${icon('check')} ${listed ? 'It is connected; its instances and lines are here.' : 'It is connecting now.'}</p>
      <footer><a class="btn btn-accent" href="#/hosts/${String(this.options.candidate.id)}" @click=${() => this.close()}>Open the host</a></footer>`;
  }
}
