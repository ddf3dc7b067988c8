import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { icon } from '../../../dom/icons.ts';
import type { PageDeps } from '../../../models/page-deps.ts';
import type { SerialState } from '../../../models/serial-console.ts';
import { actionsOf, isBusy } from '../instance-actions.ts';

export interface NoticeParts {
  deps: Pick<PageDeps, 'models' | 'act' | 'pending'>;
  instance: string;
  state: SerialState;
  /** Why there is no terminal at all. */
  failed: string | null;
  /** Why keys did not reach the guest, while that is news. */
  unsent: string | null;
  takeOver(): void;
  retry(): void;
}

/** What stands above the terminal while it is not as it should be: what happened, and what to do next. */
export function serialNotice(parts: NoticeParts): TemplateResult | null {
  const { state, failed, unsent } = parts;
  if (failed !== null)
    return note(
      failed,
      html`<button type="button" class="btn btn-sm btn-quiet" @click=${parts.retry}>Try again</button>`,
    );
  if (state.phase === 'open') return unsent === null ? null : note(`${unsent}`, null);
  if (state.phase === 'lost') return note('It connects again by itself when the manager is back.', null);
  if (state.phase === 'opening' || state.reason === null) return null;
  return note(visibleText(state.reason), nextStep(parts));
}

function note(text: string, next: TemplateResult | null): TemplateResult {
  return html`<div class="serial-note" role="alert">${icon('warn')}<span>${text}</span>${next}</div>`;
}

function nextStep({ deps, instance: id, state, takeOver }: NoticeParts): TemplateResult {
  const instance = deps.models.instances.get(id);
  if (state.code === 'busy')
    return html`<span class="dim">It connects when they have left.</span>
      <button type="button" class="btn btn-sm btn-danger-quiet" @click=${takeOver}>Take it over</button>`;
  if (state.code === 'not-found' && /serial/.test(state.reason ?? ''))
    return html`<span class="dim">Add it with <code>virsh edit</code> on the host, then turn the instance off and on. Instances launched here have one.</span>`;
  const start =
    instance === undefined ? undefined : actionsOf(instance).find((word) => word === 'start' || word === 'restore');
  if (instance !== undefined && start !== undefined)
    return html`<span class="dim">The console connects by itself when it runs.</span>
      ${isBusy(instance, deps) ? html`<span class="busy"><span class="spinner" aria-hidden="true"></span>working…</span>` : html`<button type="button" class="btn btn-sm btn-accent" @click=${() => deps.act([instance], start)}>${icon('play')} ${start}</button>`}`;
  return html`<span class="dim">${state.phase === 'refused' ? '' : 'It is tried again by itself.'}</span>`;
}
