import { html, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import type { Destination } from '../../../../../common/model/rule.ts';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { icon } from '../../../dom/icons.ts';
import type { PageDeps } from '../../../models/page-deps.ts';
import type { DestinationDraft } from '../../../models/rules.ts';
import { DialogView } from '../../base/dialog.ts';
import type { ViewOptions } from '../../base/view.ts';
import { field } from '../ops/op-dialog.ts';

export interface DestinationDialogOptions extends ViewOptions {
  deps: PageDeps;
  /** Null: a new one. */
  destination: Destination | null;
}

const KINDS = [
  ['email', 'E-mail'],
  ['webhook', 'Webhook'],
  ['chat', 'Chat'],
] as const;

/** Makes or changes a destination. What is secret is written, never read: an empty field leaves it as it is. */
export class DestinationDialog extends DialogView<DestinationDialogOptions> {
  declare draft: Required<Omit<DestinationDraft, 'to'>> & { to: string };
  declare fault: string | null;
  declare busy: boolean;
  /** Remove was pressed once. */
  declare isSure: boolean;

  override preinitialize(options: DestinationDialogOptions): void {
    super.preinitialize(options);
    const { kind = 'email', name = '', to = [], template = '', together = true } = options.destination ?? {};
    this.draft = { kind, name, to: to.join(', '), url: '', template, secret: '', together };
    this.isSure = false;
    this.fault = null;
    this.busy = false;
  }

  override closesOutside(): boolean {
    return false;
  }

  async run(work: () => Promise<unknown>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.fault = null;
    this.draw();
    try {
      await work();
      if (!this.destroyed) this.close();
    } catch (error) {
      this.fault = (error as Error).message.replace(/^body\./, '');
      this.busy = false;
      this.redraw();
    }
  }

  /** At the second press. */
  removeSurely(id: string): void {
    if (this.isSure) return void this.run(() => this.options.deps.rules.removeDestination(id));
    this.isSure = true;
    this.redraw();
  }

  body(): DestinationDraft {
    const { kind, name, to, url, template, secret, together } = this.draft;
    if (kind === 'email') return { kind, name, together, to: to.split(/[\s,;]+/).filter(Boolean) };
    const hook = url.trim() === '' ? {} : { url: url.trim() };
    if (kind === 'chat') return { kind, name, together, ...hook };
    return { kind, name, together, template, ...hook, ...(secret === '' ? {} : { secret }) };
  }

  override template(): TemplateResult {
    const { deps, destination } = this.options;
    const { draft } = this;
    const set = (key: keyof typeof draft) => (event: Event) => {
      (draft as unknown as Record<string, string>)[key] = (event.target as HTMLInputElement).value;
      this.redraw();
    };
    const input = (key: 'name' | 'to' | 'url' | 'secret', more: { type?: string; placeholder?: string } = {}) =>
      html`<input id="destination-${key}" class="form-control" type=${more.type ?? 'text'} placeholder=${more.placeholder ?? ''} autocomplete="off" spellcheck="false"
        ?data-first=${key === 'name'} .value=${draft[key]} @input=${set(key)} />`;
    const known = destination?.url ?? null;
    return html`<form class="rule-dialog" @submit=${(event: Event) => {
      event.preventDefault();
      void this.run(() => deps.rules.saveDestination(destination?.id ?? null, this.body()));
    }}>
      <header><h2 id="dialog-title">${destination === null ? 'Add a destination' : visibleText(destination.name)}</h2>
        <button type="button" class="btn btn-icon" aria-label="Close" @click=${() => this.close()}>${icon('close')}</button></header>
      <div class="segments" role="radiogroup" aria-label="Kind">${KINDS.map(
        ([kind, label]) =>
          html`<button type="button" class="seg" role="radio" aria-checked=${draft.kind === kind ? 'true' : 'false'} @click=${() => {
            draft.kind = kind;
            this.redraw();
          }}>${label}</button>`,
      )}</div>
      ${field('destination-name', 'Name', input('name', { placeholder: 'on-call' }))}
      ${draft.kind === 'email' ? field('destination-to', 'To', input('to', { placeholder: 'ops@example.org, …' }), { hint: 'The mail server stands in the configuration of the manager.' }) : null}
      ${draft.kind === 'email' ? null : field('destination-url', 'Address', input('url', { type: 'url', placeholder: known ?? 'https://…' }), { hint: known === null ? 'Private networks must be opened in the configuration of the manager (alerts.allow).' : `Leave it empty to keep ${known}.` })}
      ${draft.kind === 'webhook' ? field('destination-secret', 'Key of the signature', input('secret', { type: 'password', placeholder: destination?.secretSet ? 'as it is' : 'none' }), { hint: 'HMAC-SHA-256 in webvirt-signature. It is never shown again.' }) : null}
      ${draft.kind === 'webhook' ? field('destination-template', 'Body', html`<textarea id="destination-template" class="form-control" rows="4" spellcheck="false" placeholder="The whole event as JSON" .value=${draft.template} @input=${set('template')}></textarea>`, { hint: 'With places such as {{rule.name}}, {{group}}, {{line.message}}.' }) : null}
      <label class="rule-check"><input id="destination-together" type="checkbox" .checked=${live(draft.together)} @change=${(
        event: Event,
      ) => {
        draft.together = (event.target as HTMLInputElement).checked;
        this.redraw();
      }} /> <span>Gather what happens within a few seconds into one message <small class="dim">Without it a thousand groups that fire at once are a thousand messages.</small></span></label>
      ${this.fault === null ? null : html`<p class="form-error" role="alert">${visibleText(this.fault)}</p>`}
      <footer>${destination === null ? null : html`<button type="button" class="btn btn-danger-quiet" @click=${() => this.removeSurely(destination.id)}>${this.isSure ? 'Remove it for good' : 'Remove'}</button>`}
        <button type="button" class="btn btn-quiet" @click=${() => this.close()}>Cancel</button>
        <button type="submit" class="btn btn-accent" ?disabled=${this.busy || draft.name.trim() === ''} data-submit>Save</button></footer>
    </form>`;
  }
}
