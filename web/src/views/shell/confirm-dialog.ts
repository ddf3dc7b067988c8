import { html, type TemplateResult } from 'lit-html';
import type { Action } from '../../../../common/model/words.ts';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { plural } from '../../dom/format.ts';
import type { InstanceModel } from '../../models/nouns.ts';
import { DialogView } from '../base/dialog.ts';
import type { ViewOptions } from '../base/view.ts';

export interface ConfirmOptions extends ViewOptions {
  instances: readonly InstanceModel[];
  action: Action;
  onConfirm: () => void;
}

const WHAT: Partial<Record<Action, string>> = {
  'force-off': 'cuts the power at once. What the guest has not written to disk is lost.',
  reset: 'restarts the machine at once, as its reset button would. What the guest has not written to disk is lost.',
};
/** From this many targets on, the number has to be typed: a slip of the hand must not stop a rack. */
const TYPE_FROM = 3;
const MOST_NAMED = 12;

/** Asks before an action that can lose work, and names what it would hit. */
export class ConfirmDialog extends DialogView<ConfirmOptions> {
  declare typed: string;

  override preinitialize(options: ConfirmOptions): void {
    super.preinitialize(options);
    this.className = 'dialog dialog-danger';
    this.typed = '';
  }

  override template(): TemplateResult {
    const { instances, action } = this.options;
    const count = instances.length;
    const mustType = count >= TYPE_FROM;
    const ready = !mustType || this.typed.trim() === String(count);
    return html`<form method="dialog" @submit=${(event: Event) => {
      event.preventDefault();
      if (!ready) return;
      this.options.onConfirm();
      this.close();
    }}>
      <h2 id="dialog-title">${action} ${plural(count, 'instance')}?</h2>
      <p><b>${action}</b> ${WHAT[action] ?? 'will be sent now.'}</p>
      <ul class="targets">${instances
        .slice(0, MOST_NAMED)
        .map(
          (instance) =>
            html`<li><b>${visibleText(instance.get('name')!)}</b><span class="dim">on ${visibleText(instance.get('hostName')!)}, ${instance.get('state')}</span></li>`,
        )}
        ${count > MOST_NAMED ? html`<li class="dim">and ${count - MOST_NAMED} more</li>` : null}</ul>
      ${
        mustType
          ? html`<label class="form-label" for="confirm-count">Type ${count} to confirm</label>
            <input id="confirm-count" class="form-control" inputmode="numeric" autocomplete="off" data-first @input=${(
              event: Event,
            ) => {
              this.typed = (event.target as HTMLInputElement).value;
              this.draw();
            }} />`
          : null
      }
      <footer><button type="button" class="btn btn-quiet" ?data-first=${!mustType} @click=${() => this.close()}>Keep running</button>
        <button type="submit" class="btn btn-danger" ?disabled=${!ready}>${action} ${count === 1 ? visibleText(instances[0]!.get('name')!) : plural(count, 'instance')}</button></footer>
    </form>`;
  }
}
