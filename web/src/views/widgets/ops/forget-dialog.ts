import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { plural } from '../../../dom/format.ts';
import type { ImageRow } from '../../../models/nouns.ts';
import { OpDialog, type OpDialogOptions } from './op-dialog.ts';

export interface ForgetOptions extends OpDialogOptions {
  image: ImageRow;
}

/** Takes a base image off the list of its host. The file stays, and so do its clones. */
export class ForgetDialog extends OpDialog<ForgetOptions> {
  override template(): TemplateResult {
    const { image } = this.options;
    const { deps } = this;
    return html`<form @submit=${(event: Event) => {
      event.preventDefault();
      void this.send(
        image.name,
        (opId) => deps.operations.forgetImage(image.host, image.name, opId),
        (job) => this.awaitJob(job.id, () => this.close()),
      );
    }}>
      ${this.headTemplate(`Forget ${image.name} on ${image.hostName}?`)}
      <ul class="fates">
        <li><b>Goes</b><span>its entry: nothing new can be launched from it on ${visibleText(image.hostName)}</span></li>
        <li><b>Stays</b><span>the file <code>${visibleText(image.path)}</code></span></li>
        ${
          image.usedBy > 0
            ? html`<li><b>Stays</b><span>${plural(image.usedBy, 'disk')} of instances that ${image.usedBy === 1 ? 'stands' : 'stand'} on this file: do not remove it while there are any</span></li>`
            : null
        }
      </ul>
      ${this.refusedTemplate()}
      ${this.footTemplate(`Forget ${image.name}`, true, { cancel: 'Keep' })}</form>`;
  }
}
