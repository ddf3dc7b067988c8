import { html, type TemplateResult } from 'lit-html';
import { type RuleModel, withinText } from '../../../models/rules.ts';
import type { View } from '../../base/view.ts';
import { Menu } from '../menu.ts';

const TIMES_MS = [1_800_000, 3_600_000, 14_400_000, 86_400_000, 604_800_000];

/** Tells nobody for a time, or again. `mute` gets milliseconds; 0: be heard again. */
export function muteButton(
  rule: RuleModel,
  nowMs: number,
  parent: View,
  mute: (forMs: number) => void,
): TemplateResult | null {
  if (rule.get('state') === 'off') return null;
  if ((rule.get('mutedUntilMs') ?? 0) > nowMs)
    return html`<button type="button" class="btn btn-quiet" data-unmute @click=${() => mute(0)}>Unmute</button>`;
  const open = (event: Event) => {
    const items = TIMES_MS.map((ms) => ({ label: `for ${withinText(ms)}`, run: () => mute(ms) }));
    const anchor = event.currentTarget as HTMLElement;
    new Menu({ parent, items, anchor, label: 'Tell nobody' }).open();
  };
  return html`<button type="button" class="btn btn-quiet" data-mute aria-haspopup="menu" title="Tell nobody for a time" @click=${open}>Mute</button>`;
}
