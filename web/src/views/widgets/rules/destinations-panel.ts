import { html, type TemplateResult } from 'lit-html';
import type { Destination } from '../../../../../common/model/rule.ts';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { icon } from '../../../dom/icons.ts';
import type { PageDeps } from '../../../models/page-deps.ts';
import { View, type ViewOptions } from '../../base/view.ts';
import { DestinationDialog } from './destination-dialog.ts';

const KINDS: Record<Destination['kind'], string> = { email: 'E-mail', webhook: 'Webhook', chat: 'Chat' };

/** Where people are told, each with a button that tries it. */
export class DestinationsPanel extends View<ViewOptions & { deps: PageDeps }> {
  declare list: Destination[] | null;
  declare tests: Map<string, string | { sent: boolean; error: string | null; tookMs: number }>;

  override preinitialize(options: ViewOptions & { deps: PageDeps }): void {
    super.preinitialize(options);
    this.list = null;
    this.tests = new Map();
  }

  override initialize(): void {
    const watching = this.options.deps.rules.watchDestinations((list) => {
      this.list = list;
      this.redraw();
    });
    this.cleanup(() => watching.close());
  }

  edit(destination: Destination | null): void {
    new DestinationDialog({ parent: this, deps: this.options.deps, destination }).open();
  }

  async test({ id }: Destination): Promise<void> {
    if (this.tests.get(id) === 'busy') return;
    this.tests.set(id, 'busy');
    this.redraw();
    const said = await this.options.deps.rules
      .test(id)
      .catch((error: Error) => ({ sent: false, error: error.message, tookMs: 0 }));
    this.tests.set(id, said);
    this.redraw();
  }

  override template(): TemplateResult {
    const add = html`<button type="button" class="btn btn-accent" @click=${() => this.edit(null)}>Add a destination</button>`;
    if (this.list === null) return html`<div class="empty"><span class="spinner"></span></div>`;
    if (this.list.length === 0)
      return html`<div class="empty"><h2>Nobody is told yet</h2><p>Rules tell people by e-mail, by a webhook of your own, or in a chat that takes Slack’s messages.</p>${add}</div>`;
    return html`<div class="rule-list" role="list">${this.list.map((one) => this.row(one))}</div><p>${add}</p>`;
  }

  row(one: Destination): TemplateResult {
    const said = this.tests.get(one.id);
    const where = one.kind === 'email' ? one.to.join(', ') : (one.url ?? '');
    return html`<div class="rule-row destination-row" role="listitem">
      <span class="rule-state"><span class="tag">${KINDS[one.kind]}</span></span>
      <span class="rule-main"><b class="rule-name">${visibleText(one.name)}</b><span class="rule-words">${visibleText(where)}${one.secretSet ? ' · signed' : ''}${one.together ? '' : ' · each event apart'}</span>
        ${said === undefined || said === 'busy' || typeof said === 'string' ? null : said.sent ? html`<span class="good-text" role="status">${icon('check')} Delivered in ${said.tookMs} ms</span>` : html`<span class="bad-text" role="alert">${icon('warn')} ${visibleText(said.error ?? 'Not delivered')}</span>`}</span>
      <span class="rule-buttons"><button type="button" class="btn btn-sm btn-quiet" data-test ?disabled=${said === 'busy'} @click=${() => void this.test(one)}>${said === 'busy' ? html`<span class="spinner" aria-hidden="true"></span>` : null} Send a test</button>
        <button type="button" class="btn btn-sm btn-quiet" @click=${() => this.edit(one)}>Edit</button></span>
    </div>`;
  }
}
