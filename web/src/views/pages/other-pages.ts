import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { Page } from '../base/page.ts';

/** Where no page is. */
export class NotFoundPage extends Page<PageDeps> {
  override title(): string {
    return 'Not found';
  }

  override template(): TemplateResult {
    return html`<div class="empty"><h2>There is no page “${visibleText(this.subject)}”</h2><p>The link may have been cut when it was copied.</p>
      <a class="btn btn-accent" href="#/live">To the live stream</a></div>`;
  }
}

/** Where a part of the program did not come: the manager may be away, or was updated meanwhile. */
export class UnloadedPage extends Page<PageDeps> {
  override title(): string {
    return 'Not loaded';
  }

  override template(): TemplateResult {
    return html`<div class="empty"><h2>This page could not be loaded</h2><p>The manager did not send it: it may be away for a moment, or it was updated meanwhile.</p>
      <button type="button" class="btn btn-accent" @click=${() => window.location.reload()}>Load the console again</button></div>`;
  }
}
