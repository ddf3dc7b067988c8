import { html, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { icon } from '../../dom/icons.ts';
import type { Notices } from '../../models/notices.ts';
import { View, type ViewOptions } from '../base/view.ts';

export interface ToastsOptions extends ViewOptions {
  notices: Notices;
}

const GOOD_MS = 5_000;
const BAD_MS = 15_000;
const MOST_SHOWN = 4;
const ICONS = { good: 'check', bad: 'warn', info: 'jobs' } as const;

/** Outcomes as they happen. Good ones leave by themselves, bad ones stay longer; none leaves under the pointer, or with the focus. */
export class Toasts extends View<ToastsOptions> {
  declare hovered: boolean;

  override preinitialize(options: ToastsOptions): void {
    super.preinitialize(options);
    this.className = 'toasts';
    this.hovered = false;
  }

  override initialize(): void {
    this.el.setAttribute('aria-live', 'polite');
    this.el.addEventListener('mouseenter', () => {
      this.hovered = true;
    });
    this.el.addEventListener('mouseleave', () => {
      this.hovered = false;
    });
    this.listenTo(this.options.notices, 'update', this.redraw);
    this.listenTo(this.options.notices, 'add', (notice) =>
      this.leaveLater(notice.id, notice.get('kind') === 'bad' ? BAD_MS : GOOD_MS),
    );
  }

  leaveLater(id: string, ms: number): void {
    const timer = setTimeout(() => {
      if (this.destroyed) return;
      if (this.hovered || this.el.contains(document.activeElement)) this.leaveLater(id, GOOD_MS);
      else this.options.notices.remove(id);
    }, ms);
    this.cleanup(() => clearTimeout(timer));
  }

  override template(): TemplateResult {
    const { notices } = this.options;
    const shown = notices.models.slice(-MOST_SHOWN);
    const more = notices.length - shown.length;
    return html`
      ${more > 0 ? html`<div class="toast-more">${more} more: see Jobs</div>` : null}
      ${repeat(
        shown,
        (notice) => notice.id,
        (notice) => {
          const { kind, title, text, href, link } = notice.attributes as Required<typeof notice.attributes>;
          return html`<div class="toast-card toast-${kind}" role=${kind === 'bad' ? 'alert' : 'status'}>
            ${icon(ICONS[kind!])}
            <div class="toast-body"><b>${visibleText(title!)}</b><span>${visibleText(text!)}</span>
              ${href ? html`<a href=${href}>${visibleText(link ?? 'Show its lines')}</a>` : null}</div>
            <button type="button" class="btn btn-icon" aria-label="Dismiss" @click=${() => notices.remove(notice)}>${icon('close')}</button>
          </div>`;
        },
      )}`;
  }
}
