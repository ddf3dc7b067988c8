import { html, render, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { bytesText, percentText, spanText, utcText } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';
import { actionButtons, openOp, opsOf } from '../widgets/instance-actions.ts';
import { stateMark } from '../widgets/marks.ts';
import { SerialView } from '../widgets/serial/serial-view.ts';
import { topOf } from '../widgets/sparkline.ts';
import { ThingPage } from './thing-page.ts';

/** One instance: what it is, how it does, what can be done, and its own lines. */
export class InstancePage extends ThingPage {
  declare tabs: HTMLElement;
  declare serial: SerialView;

  override initialize(): void {
    const { deps, subject } = this;
    this.tabs = document.createElement('div');
    this.serial = new SerialView({ parent: this, deps, instance: subject });
    this.build({
      kind: 'instance',
      memoryTitle: 'Memory on the host',
      // What QEMU itself needs is in the figure too: it may be more than the guest was given.
      memoryTop: () =>
        topOf(deps.history.of(subject).memoryUsedBytes, deps.models.instances.get(subject)?.get('memoryBytes') ?? 0),
      noLines: 'Lines of libvirt, QEMU and the jobs of this instance appear here.',
      beside: [this.tabs, this.serial.el],
    });
    this.listenTo(deps.models.instances, 'update loaded', this.redraw);
    this.listenTo(deps.models.instances, 'change', (instance) => instance.id === subject && this.redraw());
    this.listenTo(deps.models.instances, 'samples', this.redraw);
    this.listenTo(deps.pending, 'change', this.redraw);
    this.el.classList.add('has-tabs');
    this.updateQuery(this.query);
  }

  /** `tab=console` in the address shows the serial console in place of the lines. */
  override updateQuery(query: string): boolean {
    this.query = query;
    const serial = this.showsSerial();
    this.el.classList.toggle('shows-serial', serial);
    render(tabsTemplate(this.subject, serial), this.tabs);
    // In the next frame it is on the page and has a size.
    if (serial) requestAnimationFrame(() => !this.destroyed && void this.serial.draw().begin());
    return true;
  }

  showsSerial(): boolean {
    return new URLSearchParams(this.query).get('tab') === 'console';
  }

  override onKey(key: string): boolean {
    if (this.showsSerial()) return false;
    const instance = this.deps.models.instances.get(this.subject);
    if (key === 'm' && instance !== undefined && opsOf(instance).includes('migrate')) {
      openOp(instance, 'migrate', this.deps);
      return true;
    }
    return super.onKey(key);
  }

  override title(): string {
    return this.deps.models.instances.get(this.subject)?.get('name') ?? 'Instance';
  }

  override headTemplate(): TemplateResult {
    const instance = this.deps.models.instances.get(this.subject);
    if (instance === undefined) {
      return html`<nav class="crumbs" aria-label="Path"><a href="#/instances">Instances</a></nav><div class="page-title"><h1>Not listed</h1></div>
        <p class="dim">No host reports an instance with the id <code>${visibleText(this.subject)}</code> now. It was removed, or it is still being read. Its stored lines are below.</p>`;
    }
    const {
      name,
      title,
      state,
      stateReason,
      stale,
      host,
      hostName,
      hostState,
      vcpus,
      memoryBytes,
      autostart,
      persistent,
      changedMs,
      disks,
      nics,
    } = instance.attributes;
    const load = instance.loadNow();
    return html`<nav class="crumbs" aria-label="Path"><a href="#/instances">Instances</a> ${icon('chevron')} <a href="#/hosts/${host}">${visibleText(hostName!)}</a></nav>
      <div class="page-title"><h1>${visibleText(name!)}</h1>${stateMark(state!)}
        <span class="dim" title=${utcText(changedMs!)}>${stateReason ? `${visibleText(stateReason)}, ` : ''}for ${spanText(this.deps.nowMs() - changedMs!)}</span>
        <div class="title-end">${actionButtons(instance, this.deps)}</div></div>
      ${stale ? html`<p class="warn-note">${icon('warn')} The host ${visibleText(hostName!)} is ${hostState}: this is the last state it told.</p>` : null}
      ${title ? html`<p class="dim">${visibleText(title)}</p>` : null}
      <dl class="fact-row">
        <div><dt>vCPUs</dt><dd>${vcpus}</dd></div>
        <div><dt>CPU</dt><dd>${load ? percentText(load.cpuRatio) : '–'}</dd></div>
        <div><dt>Memory</dt><dd>${load ? html`${bytesText(load.memoryUsedBytes)}<small> on the host, guest has ${bytesText(memoryBytes!)}</small>` : bytesText(memoryBytes!)}</dd></div>
        ${rate('Disk read', load?.diskReadBps)}${rate('Disk write', load?.diskWriteBps)}${rate('Net in', load?.netRxBps)}${rate('Net out', load?.netTxBps)}
        <div><dt>Autostart</dt><dd>${autostart ? 'with its host' : 'no'}</dd></div>
        <div><dt>Definition</dt><dd>${persistent ? 'kept' : 'transient'}</dd></div>
        <div class="fact-wide"><dt>UUID</dt><dd><code>${instance.id}</code> <button type="button" class="btn btn-icon btn-sm" aria-label="Copy the UUID" @click=${() => this.deps.copy(String(instance.id), 'UUID')}>${icon('copy')}</button></dd></div>
      </dl>
      <div class="devices">
        ${(disks ?? []).map((disk) => html`<span class="device"><b>${visibleText(disk.target)}</b><span>${disk.device}${disk.format ? `, ${disk.format}` : ''}</span><code title=${visibleText(disk.source ?? '')}>${visibleText(disk.source ?? 'empty')}</code></span>`)}
        ${(nics ?? []).map((nic) => html`<span class="device"><b>${visibleText(nic.type)}</b><span>${visibleText([nic.source, nic.model].filter(Boolean).join(', '))}</span><code>${visibleText(nic.mac ?? '')}</code></span>`)}
      </div>`;
  }
}

function tabsTemplate(id: string, serial: boolean): TemplateResult {
  const tab = (place: string, selected: boolean, name: 'live' | 'prompt', text: string) =>
    html`<a class="thing-tab" role="tab" aria-selected=${selected} href="#/instances/${id}${place}">${icon(name)} ${text}</a>`;
  return html`<div class="thing-tabs" role="tablist" aria-label="About this instance">
    ${tab('', !serial, 'live', 'Lines')}${tab('?tab=console', serial, 'prompt', 'Serial console')}</div>`;
}

function rate(label: string, bps: number | undefined): TemplateResult | null {
  return bps === undefined ? null : html`<div><dt>${label}</dt><dd>${bytesText(bps)}<small>/s</small></dd></div>`;
}
