import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { bytesText, countText, dayTimeText, percentText, plural, utcText } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import type { StoreState } from '../../models/stored-lines.ts';
import { View, type ViewOptions } from '../base/view.ts';
import { unreadableText } from './unreadable-text.ts';

export type StorePanelOptions = ViewOptions & { deps: { stored: Pick<PageDeps['stored'], 'state'> } };

const RELOAD_MS = 60_000;

/** How the lines are stored: what the disk lost of them, and when all of them were last read again. Event: `change`. */
export class StorePanel extends View<StorePanelOptions> {
  declare state: StoreState | null;

  override preinitialize(options: StorePanelOptions): void {
    super.preinitialize(options);
    this.className = 'ways-in store-panel';
    this.state = null;
  }

  override initialize(): void {
    void this.load();
    this.every(RELOAD_MS, () => document.hidden || void this.load());
  }

  async load(): Promise<void> {
    // Why the manager does not answer is said elsewhere; what was known stays.
    const state = await this.options.deps.stored.state().catch(() => null);
    if (this.destroyed || state === null) return;
    this.state = state;
    this.redraw();
    this.trigger('change');
  }

  isDamaged(): boolean {
    return (this.state?.unreadable ?? []).length > 0;
  }

  override template(): TemplateResult {
    const { state } = this;
    if (state === null) return html``;
    const { lines, bytesOnDisk, unreadable, scrub } = state;
    return html`<h2>The store <small class="dim">${plural(lines, 'line')}, ${bytesText(bytesOnDisk)}</small></h2>
      ${unreadable === undefined ? null : verdict(unreadable)}
      ${scrub === undefined ? null : html`<p class="dim">${passText(scrub)}</p>`}`;
  }
}

function verdict(unreadable: NonNullable<StoreState['unreadable']>): TemplateResult {
  if (unreadable.length === 0)
    return html`<p class="ledger-verdict is-whole">${icon('check')}<span>No damage is known: what was read of the sealed files is as it was written.</span></p>`;
  return html`<p class="ledger-verdict is-lost">${icon('warn')}<span>${unreadableText(unreadable)}. Put the files of a backup back under their names.</span></p>
    <ul class="way-reasons">${unreadable.map(
      (one) => html`<li><code>${visibleText(one.file)}</code> ${unreadableText([one])}</li>`,
    )}</ul>`;
}

function passText({
  passStartedMs,
  lines,
  checkedLines,
  lastPassMs,
}: NonNullable<StoreState['scrub']>): TemplateResult {
  const last =
    lastPassMs === null
      ? html`No whole pass has ended yet.`
      : html`The last whole pass ended <time title=${utcText(lastPassMs)}>${dayTimeText(lastPassMs).slice(0, 16)}</time>.`;
  const share = lines === 0 ? '' : ` (${percentText(Math.min(1, checkedLines / lines))})`;
  return html`Sealed files are read again and compared with their checksums. ${last} The pass of <time title=${utcText(passStartedMs)}>${dayTimeText(passStartedMs).slice(0, 16)}</time> has read ${countText(checkedLines)} of ${plural(lines, 'sealed line')}${share}.`;
}
