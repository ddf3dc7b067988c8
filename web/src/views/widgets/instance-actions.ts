import { html, type TemplateResult } from 'lit-html';
import { ACTIONS_BY_STATE, type Action, DESTRUCTIVE_ACTIONS } from '../../../../common/model/words.ts';
import { type IconName, icon } from '../../dom/icons.ts';
import type { InstanceModel } from '../../models/nouns.ts';
import type { PageDeps } from '../../models/page-deps.ts';

const ICONS: Partial<Record<Action, IconName>> = {
  start: 'play',
  resume: 'play',
  restore: 'play',
  shutdown: 'stop',
  pause: 'pause',
  reboot: 'restart',
};

/** Actions of an instance in its present state, with autostart last. None while its host does not answer. */
export function actionsOf(instance: InstanceModel): Action[] {
  if (instance.get('stale')) return [];
  const state = instance.get('state')!;
  const list: Action[] = [...(ACTIONS_BY_STATE[state] ?? [])];
  if (state !== 'unknown' && instance.get('persistent'))
    list.push(instance.get('autostart') ? 'autostart-off' : 'autostart-on');
  return list;
}

/** Operations that ask first, in a dialog of their own. */
export type Op = 'migrate' | 'delete';

/** What can be asked of an instance beside its actions: nothing while its host does not answer. */
export function opsOf(instance: InstanceModel): Op[] {
  if (instance.get('stale') || instance.get('state') === 'unknown') return [];
  return instance.get('persistent') ? ['migrate', 'delete'] : ['migrate'];
}

/** Opens the dialog of an operation. */
export function openOp(instance: InstanceModel, op: Op, deps: Pick<PageDeps, 'dialogs'>): void {
  if (op === 'migrate') deps.dialogs.migrate(instance);
  else deps.dialogs.removeInstance(instance);
}

/** True while an operation on the instance has no outcome: one of ours just sent, or a job of anybody. */
export function isBusy(instance: InstanceModel, deps: Pick<PageDeps, 'pending'>): boolean {
  return deps.pending.opOf(String(instance.id)) !== null || Boolean(instance.get('busyJob'));
}

function button(instance: InstanceModel, action: Action, deps: Pick<PageDeps, 'act'>, small: boolean): TemplateResult {
  const danger = DESTRUCTIVE_ACTIONS.includes(action);
  const name = ICONS[action];
  return html`<button type="button" class="btn ${small ? 'btn-sm' : ''} ${danger ? 'btn-danger-quiet' : 'btn-quiet'}"
    data-act=${action} @click=${() => deps.act([instance], action)}>${name ? icon(name) : null} ${action}</button>`;
}

/** All actions as buttons, for the page of an instance. */
export function actionButtons(
  instance: InstanceModel,
  deps: Pick<PageDeps, 'act' | 'pending' | 'dialogs'>,
): TemplateResult {
  if (isBusy(instance, deps))
    return html`<span class="busy"><span class="spinner" aria-hidden="true"></span>working…</span>`;
  const actions = actionsOf(instance);
  if (actions.length === 0)
    return html`<span class="dim">No action while its host is ${instance.get('hostState')}</span>`;
  return html`<div class="buttons">${actions.map((action) => button(instance, action, deps, false))}${opsOf(
    instance,
  ).map(
    (op) => html`<button type="button" class="btn ${op === 'delete' ? 'btn-danger-quiet' : 'btn-quiet'}" data-op=${op}
      @click=${() => openOp(instance, op, deps)}>${icon(op === 'migrate' ? 'move' : 'bin')} ${op}…</button>`,
  )}</div>`;
}

/** The likeliest action and a menu of the others, for a row. */
export function rowActions(
  instance: InstanceModel,
  deps: Pick<PageDeps, 'act' | 'pending'>,
  openMenu: (anchor: HTMLElement) => void,
): TemplateResult {
  if (isBusy(instance, deps))
    return html`<span class="busy"><span class="spinner" aria-hidden="true"></span>working</span>`;
  const [first] = actionsOf(instance);
  if (first === undefined) return html`<span class="dim">–</span>`;
  return html`${button(instance, first, deps, true)}<button type="button" class="btn btn-icon btn-sm" aria-haspopup="menu"
    aria-label="More actions of this instance" @click=${(event: Event) => openMenu(event.currentTarget as HTMLElement)}>${icon('more')}</button>`;
}
