import { html, type TemplateResult } from 'lit-html';
import { DialogView } from '../../base/dialog.ts';
import type { ViewOptions } from '../../base/view.ts';

export interface StopOptions extends ViewOptions {
  title: string;
  /** A new session takes the cells over. */
  restart: boolean;
  running: boolean;
  onConfirm: () => void;
}

/** Asks before a session with something in its memory is stopped. */
export class StopDialog extends DialogView<StopOptions> {
  override preinitialize(options: StopOptions): void {
    super.preinitialize(options);
    this.className = 'dialog dialog-danger';
  }

  override template(): TemplateResult {
    const { title, restart, running, onConfirm } = this.options;
    return html`<form method="dialog" @submit=${(event: Event) => {
      event.preventDefault();
      onConfirm();
      this.close();
    }}>
      <h2 id="dialog-title">${restart ? 'Restart' : 'Stop'} ${title}?</h2>
      <p>${running ? 'A cell is running; it ends now. ' : ''}Its variables are lost. Code and output stay readable for a day.</p>
      ${restart ? html`<p>A new session begins with the same cells; none of them is run by itself.</p>` : null}
      <footer><button type="button" class="btn btn-quiet" data-first @click=${() => this.close()}>Keep it</button>
        <button type="submit" class="btn btn-danger">${restart ? 'Restart' : 'Stop'}</button></footer>
    </form>`;
  }
}
