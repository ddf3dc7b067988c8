import { html, nothing, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { plural } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';
import type { KernelOffer } from '../../../models/compute/sessions.ts';
import { errorHint } from '../../../models/error-hints.ts';
import type { PageDeps } from '../../../models/page-deps.ts';
import { View, type ViewOptions } from '../../base/view.ts';

export interface LauncherOptions extends ViewOptions {
  deps: Pick<PageDeps, 'compute' | 'go'>;
}

const WHAT: Record<string, string> = {
  sage: 'Computer algebra, number theory, plots; Python with Sage’s names.',
  python: 'Plain Python 3.',
};

/** One card per kernel; its button starts a session and opens it. */
export class Launcher extends View<LauncherOptions> {
  declare host: string;
  declare starting: string | null;
  declare error: string | null;

  override preinitialize(options: LauncherOptions): void {
    super.preinitialize(options);
    this.className = 'launcher';
    this.host = '';
    this.starting = null;
    this.error = null;
  }

  override initialize(): void {
    this.listenTo(this.options.deps.compute.servers, 'update change loaded', this.redraw);
  }

  async start(kernel: string): Promise<void> {
    if (this.starting !== null) return;
    const { deps } = this.options;
    this.starting = kernel;
    this.error = null;
    this.draw();
    try {
      const session = await deps.compute.start({ kernel, ...(this.host === '' ? {} : { host: this.host }) });
      deps.go(`/compute/${encodeURIComponent(session.id)}`);
    } catch (error) {
      const { message, code } = error as { message: string; code?: string };
      this.error = [message, errorHint(code ?? '')].filter(Boolean).join(' ');
    }
    this.starting = null;
    this.redraw();
  }

  override template(): TemplateResult {
    const { servers } = this.options.deps.compute;
    const offers = servers.kernels();
    const ready = servers.filter((server) => server.ready());
    if (!ready.some((server) => server.get('host') === this.host)) this.host = '';
    return html`${this.error === null ? nothing : html`<p class="form-error" role="alert">${visibleText(this.error)}</p>`}
      <div class="kernel-cards">${offers.map((offer) => this.card(offer))}</div>
      ${
        ready.length > 1
          ? html`<label class="launch-host">Run on
              <select class="form-select" @change=${(event: Event) => {
                this.host = (event.target as HTMLSelectElement).value;
                this.draw();
              }}><option value="" ?selected=${this.host === ''}>the least loaded host</option>
              ${ready.map((server) => html`<option value=${server.get('host')!} ?selected=${this.host === server.get('host')}>${visibleText(server.get('hostName')!)}</option>`)}
              </select></label>`
          : nothing
      }`;
  }

  card(offer: KernelOffer): TemplateResult {
    const hosts = this.host === '' ? offer.hosts : offer.hosts.filter(({ id }) => id === this.host);
    const warm = hosts.reduce((sum, { pooled }) => sum + pooled, 0);
    const where = hosts.length === 1 ? `on ${visibleText(hosts[0]!.name)}` : `on ${plural(hosts.length, 'host')}`;
    const state =
      hosts.length === 0
        ? 'No host takes one now; see below why.'
        : `${warm > 0 ? `${warm} ready at once` : 'starts when asked for'}, ${where}`;
    const title = visibleText(offer.title);
    return html`<article class="kernel-card">
      <h2>${title}</h2><p class="dim">${WHAT[offer.name] ?? ''}</p>
      <p class="kernel-state ${hosts.length === 0 ? 'tone-warn' : 'dim'}">${state}</p>
      <button type="button" class="btn btn-accent" ?disabled=${hosts.length === 0 || this.starting !== null} aria-label="New ${title} session"
        @click=${() => void this.start(offer.name)}>
        ${this.starting === offer.name ? html`<span class="spinner" aria-hidden="true"></span> Starting…` : html`${icon('play')} New session`}</button>
    </article>`;
  }
}
