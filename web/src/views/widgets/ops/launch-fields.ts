import { html, nothing, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { bytesText } from '../../../dom/format.ts';
import type { BaseChoice, LaunchForm, networkChoices } from '../../../models/launch-plan.ts';
import { field } from './op-dialog.ts';

type SizeKey = 'vcpus' | 'memory' | 'disk';

/** How large: processors, memory and disk. `fault` tells what to show under a field, `leave` that it was left. */
export function sizeFields(
  form: LaunchForm,
  base: BaseChoice | null,
  fault: (key: SizeKey) => string | undefined,
  set: (change: Partial<LaunchForm>) => void,
  leave: (key: SizeKey) => void,
): TemplateResult {
  const input = (key: SizeKey, more: string | typeof nothing = nothing) =>
    html`<input id="launch-${key}" class="form-control" inputmode="decimal" autocomplete="off" aria-describedby="launch-${key}-note" placeholder=${more}
        .value=${live(form[key])} @blur=${() => leave(key)} @input=${(event: Event) => set({ [key]: (event.target as HTMLInputElement).value })} />`;
  const asImage = base === null ? '' : bytesText(base.virtualBytes);
  return html`${field('launch-vcpus', 'vCPUs', input('vcpus'), { fault: fault('vcpus') })}
      ${field(
        'launch-memory',
        'Memory',
        html`<div class="joined">${input('memory')}<select class="form-select" aria-label="Unit of memory" .value=${live(form.memoryUnit)}
          @change=${(event: Event) => set({ memoryUnit: (event.target as HTMLSelectElement).value as 'GiB' })}><option>GiB</option><option>MiB</option></select></div>`,
        { fault: fault('memory') },
      )}
      ${field('launch-disk', 'Disk, GiB', input('disk', `as the image: ${asImage}`), { fault: fault('disk') })}`;
}

/** On which network of the host, or of how many of them. */
export function networkField(
  form: LaunchForm,
  networks: ReturnType<typeof networkChoices>,
  choose: (network: string) => void,
): TemplateResult {
  // It was chosen, and then a host without it.
  const away = form.network !== '' && !networks.some(({ name }) => name === form.network);
  const some = (one: (typeof networks)[number]) =>
    one.onHosts < one.ofHosts ? `, on ${one.onHosts} of ${one.ofHosts} hosts` : '';
  return field(
    'launch-network',
    'Network',
    html`<select id="launch-network" class="form-select" .value=${live(form.network)} @change=${(event: Event) =>
      choose(
        (event.target as HTMLSelectElement).value,
      )}>${networks.map((one) => html`<option value=${one.name} ?selected=${one.name === form.network}>${visibleText(one.name)}${some(one)}</option>`)}
        ${away ? html`<option value=${form.network} selected>${visibleText(form.network)}, not there</option>` : null}
        <option value="" ?selected=${form.network === ''}>none</option></select>`,
    {
      fault: away ? 'Choose another network, or another host' : undefined,
      hint: networks.length === 0 ? 'No active network is known there' : undefined,
    },
  );
}
