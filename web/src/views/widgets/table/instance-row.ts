import { html, render, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { bytesText, percentText } from '../../../dom/format.ts';
import type { InstanceModel } from '../../../models/nouns.ts';
import type { PageDeps } from '../../../models/page-deps.ts';
import { isBusy, rowActions } from '../instance-actions.ts';
import { stateMark } from '../marks.ts';
import { drawSparkline, topOf } from '../sparkline.ts';

export interface RowContext {
  deps: Pick<PageDeps, 'act' | 'pending' | 'history'>;
  isMarked: (id: string) => boolean;
  mark: (id: string, on: boolean, range: boolean) => void;
  openMenu: (instance: InstanceModel, anchor: HTMLElement) => void;
  colours: { cpu: string; memory: string };
}

const SPARK = { points: 60, widthPx: 84, heightPx: 22 };

function template(instance: InstanceModel, context: RowContext): TemplateResult {
  const { name, title, state, host, hostName, hostState, stale, vcpus, memoryBytes, autostart } = instance.attributes;
  const load = instance.loadNow();
  const id = String(instance.id);
  const shown = visibleText(name!);
  return html`
    <label class="t-mark"><input type="checkbox" .checked=${context.isMarked(id)} aria-label="Mark ${shown}"
      @click=${(event: MouseEvent) => context.mark(id, (event.target as HTMLInputElement).checked, event.shiftKey)} /></label>
    <span class="t-state">${stateMark(state!)}${stale ? html`<span class="badge-stale" title="Last known: the host is ${hostState}">stale</span>` : null}</span>
    <a class="t-name" href="#/instances/${id}" title=${title ? `${shown}: ${visibleText(title)}` : shown}>${shown}</a>
    <a class="t-host" href="#/hosts/${host}" title=${visibleText(hostName!)}>${visibleText(hostName!)}</a>
    <span class="t-vcpus" title="Virtual CPUs">${vcpus}</span>
    <span class="t-cpu"><canvas aria-hidden="true"></canvas><span>${load ? percentText(load.cpuRatio) : '–'}</span></span>
    <span class="t-memory" title=${memoryTitle(load?.memoryUsedBytes, memoryBytes!)}><canvas aria-hidden="true"></canvas><span class=${load ? '' : 'dim'}>${bytesText(load ? load.memoryUsedBytes : memoryBytes!)}</span></span>
    <span class="t-auto" title=${autostart ? 'Starts with its host' : ''}>${autostart ? 'auto' : ''}</span>
    <span class="t-actions">${rowActions(instance, context.deps, (anchor) => context.openMenu(instance, anchor))}</span>`;
}

/** Used is what QEMU occupies on the host: more than the guest's own memory is possible. */
function memoryTitle(usedBytes: number | undefined, guestBytes: number): string {
  const guest = `guest has ${bytesText(guestBytes)}`;
  return usedBytes === undefined ? guest : `${bytesText(usedBytes)} on the host, ${guest}`;
}

/** Draws one row of the table into its element, curves included. */
export function drawInstanceRow(el: HTMLElement, instance: InstanceModel, context: RowContext): void {
  render(template(instance, context), el);
  el.classList.toggle('is-busy', isBusy(instance, context.deps));
  el.classList.toggle('is-stale', Boolean(instance.get('stale')));
  el.classList.toggle('is-marked', context.isMarked(String(instance.id)));
  const curve = context.deps.history.of(String(instance.id));
  const [cpu, memory] = el.querySelectorAll('canvas');
  const off = instance.loadNow() === null;
  drawSparkline(cpu!, off ? [] : curve.cpuRatio, { ...SPARK, max: 1, colour: context.colours.cpu });
  drawSparkline(memory!, off ? [] : curve.memoryUsedBytes, {
    ...SPARK,
    max: topOf(curve.memoryUsedBytes.slice(-SPARK.points), instance.get('memoryBytes')!),
    colour: context.colours.memory,
  });
}
