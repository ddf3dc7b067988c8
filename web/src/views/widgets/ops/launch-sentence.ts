import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { bytesText } from '../../../dom/format.ts';
import { type BaseChoice, bytesOf, type HostChoice, type LaunchForm, UNIT_BYTES } from '../../../models/launch-plan.ts';

/** What will happen, in one line. */
export function launchSentence(form: LaunchForm, base: BaseChoice | null, place: HostChoice | null): TemplateResult {
  if (base === null) return html`Choose a base image.`;
  const memoryBytes = bytesOf(form.memory, UNIT_BYTES[form.memoryUnit]);
  const diskBytes = bytesOf(form.disk, UNIT_BYTES.GiB) ?? base.virtualBytes;
  const where =
    form.host === ''
      ? html`the host with most free memory${place ? html` (now <b>${visibleText(place.name)}</b>)` : ''}`
      : html`<b>${visibleText(place?.name ?? '')}</b>`;
  const vcpus = form.vcpus.trim() === '1' ? '1 vCPU' : `${visibleText(form.vcpus.trim() || '…')} vCPUs`;
  return html`Clones <b>${visibleText(base.name)}</b> thinly to a disk of ${bytesText(diskBytes)} on ${where}, defines
    <b>${visibleText(form.name || '…')}</b> with ${vcpus} and ${memoryBytes === null ? '…' : bytesText(memoryBytes)} memory${form.network === '' ? ', without a network,' : html` on network ${visibleText(form.network)}`} and starts it.`;
}
