import { html, type TemplateResult } from 'lit-html';
import { clockText, spanText } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';
import type { Connection } from '../../models/connection.ts';
import { View, type ViewOptions } from '../base/view.ts';

export interface ConnectionBarOptions extends ViewOptions {
  connection: Connection;
}

/** A short break is not worth an alarm: the bar waits this long before it says anything. */
const QUIET_MS = 1_000;

/** Says when what is on the screen is not the present: since when, and that nothing will be missing afterwards. */
export class ConnectionBar extends View<ConnectionBarOptions> {
  override preinitialize(options: ConnectionBarOptions): void {
    super.preinitialize(options);
    this.className = 'connection';
  }

  override initialize(): void {
    this.el.setAttribute('role', 'status');
    this.listenTo(this.options.connection, 'change', this.redraw);
    this.every(1_000, () => this.redraw());
  }

  override template(): TemplateResult {
    const { state, sinceMs } = this.options.connection.attributes;
    const goneMs = Date.now() - sinceMs!;
    const lost = state !== 'up' && goneMs >= QUIET_MS;
    this.el.classList.toggle('is-lost', lost);
    if (!lost) return html``;
    return state === 'down'
      ? html`${icon('warn')}<span><b>Connection lost</b> since ${clockText(sinceMs!).slice(0, 8)} <span aria-hidden="true">(${spanText(goneMs)} ago)</span>.
          What you see is as it was then. Trying again; lines written meanwhile will be here as soon as it is back.</span>`
      : html`${icon('warn')}<span>Connecting to the manager…</span>`;
  }
}
