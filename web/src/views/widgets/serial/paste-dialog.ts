import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { countText, plural } from '../../../dom/format.ts';
import { DialogView } from '../../base/dialog.ts';
import type { ViewOptions } from '../../base/view.ts';
import type { Pasted } from './paste.ts';

export interface PasteOptions extends ViewOptions {
  pasted: Pasted;
  name: string;
  onConfirm: () => void;
}

const SHOWN_CHARS = 1_200;

/** Asks before much is typed into a guest at once, and shows it. */
export class PasteDialog extends DialogView<PasteOptions> {
  override template(): TemplateResult {
    const { pasted, name } = this.options;
    const { text, lines } = pasted;
    const shown = visibleText(text.slice(0, SHOWN_CHARS), { keepNewlines: true });
    return html`<form method="dialog" @submit=${(event: Event) => {
      event.preventDefault();
      this.close();
      this.options.onConfirm();
    }}>
      <h2 id="dialog-title">Paste ${plural(lines, 'line')} into ${visibleText(name)}?</h2>
      <p class="dim">${countText(text.length)} characters are typed into the guest as they are. A shell runs each line as soon as it ends.</p>
      <pre class="serial-pasted">${shown}${text.length > SHOWN_CHARS ? '\n…' : ''}</pre>
      <footer><button type="button" class="btn btn-quiet" @click=${() => this.close()}>Do not paste</button>
        <button type="submit" class="btn btn-accent" data-first>Paste</button></footer>
    </form>`;
  }
}
