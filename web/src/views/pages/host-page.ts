import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { skewText } from '../../dom/clock-skew.ts';
import { bytesText, countText, percentText, spanText, utcText } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';
import { orderOf } from '../../models/instance-order.ts';
import { stateMark } from '../widgets/marks.ts';
import { ResourcesPanel } from '../widgets/resources-panel.ts';
import { ThingPage } from './thing-page.ts';

/** One host: its state with its age, its instances, its load, its lines. */
export class HostPage extends ThingPage {
  override initialize(): void {
    const { deps, subject } = this;
    this.build({
      kind: 'host',
      memoryTitle: 'Memory',
      memoryTop: () => deps.models.hosts.get(subject)?.get('memoryBytes') ?? null,
      beside: [new ResourcesPanel({ parent: this, deps, host: subject }).draw().el],
      noLines: 'Lines of this host appear here the moment its agent sends them.',
    });
    this.listenTo(deps.models.hosts, 'update change loaded samples', this.redraw);
    this.listenTo(deps.models.instances, 'update change:state loaded', this.redraw);
  }

  override title(): string {
    return this.deps.models.hosts.get(this.subject)?.get('name') ?? 'Host';
  }

  override headTemplate(): TemplateResult {
    const model = this.deps.models.hosts.get(this.subject);
    const crumbs = html`<nav class="crumbs" aria-label="Path"><a href="#/hosts">Hosts</a></nav>`;
    if (model === undefined) {
      return html`${crumbs}<div class="page-title"><h1>Not enrolled</h1></div><p class="dim">There is no host with the id <code>${visibleText(this.subject)}</code>. Stored lines of it, if any, are below.</p>`;
    }
    const host = model.attributes;
    const now = this.deps.nowMs();
    const skew = skewText(host.clockOffsetMs);
    // Of a host that is not heard the figures are the last ones: the age beside its state is theirs too.
    const old = host.state === 'online' ? '' : 'is-old';
    return html`${crumbs}
      <div class="page-title"><h1>${visibleText(host.name!)}</h1>${stateMark(host.state!)}
        <span class="dim" title=${utcText(host.seenMs!)}>${host.state === 'online' ? `for ${spanText(now - host.stateSinceMs!)}` : `last heard ${spanText(now - host.seenMs!)} ago; trying to reach it`}</span></div>
      ${host.limited ? html`<p class="warn-note">${icon('warn')} ${visibleText(host.limited)}</p>` : null}
      ${host.libvirtAnswers === false ? html`<p class="warn-note">${icon('warn')} libvirt does not answer on this host. Its instances are shown as last known; check <code>systemctl status libvirtd</code>.</p>` : null}
      ${skew === null ? null : html`<p class="warn-note">${icon('warn')} ${skew}</p>`}
      <dl class="fact-row">
        <div><dt>CPU</dt><dd class=${old}>${host.load ? percentText(host.load.cpuRatio) : '–'}<small> of ${host.cpus}</small></dd></div>
        <div><dt>Load</dt><dd class=${old}>${host.load ? host.load.load1.toFixed(2) : '–'}</dd></div>
        <div><dt>Memory</dt><dd class=${old}>${host.load ? bytesText(host.load.memoryUsedBytes) : '–'}<small> of ${bytesText(host.memoryBytes!)}</small></dd></div>
        <div><dt>Instances</dt><dd>${host.runningCount}<small> of ${host.instanceCount} running</small></dd></div>
        <div><dt>Hypervisor</dt><dd>${visibleText(host.hypervisor!)} <small>${visibleText(host.hypervisorVersion ?? '')}</small></dd></div>
        <div><dt>Up</dt><dd>${host.bootMs ? spanText(now - host.bootMs) : '–'}</dd></div>
        <div><dt>Agent</dt><dd>${visibleText(host.agentVersion!)}${host.spoolLines! > 0 ? html`<small> ${countText(host.spoolLines!)} lines wait</small>` : null}</dd></div>
        <div><dt>System</dt><dd><small>${visibleText([host.os, host.kernel].filter(Boolean).join(', ') || '–')}</small></dd></div>
        <div><dt>Address</dt><dd><code>${host.address}:${host.port}</code></dd></div>
        <div><dt>libvirt</dt><dd><code>${visibleText(host.libvirtUri!)}</code></dd></div>
      </dl>
      ${this.instances()}`;
  }

  instances(): TemplateResult {
    const { instances } = this.deps.models;
    const ids = orderOf(instances.models, { q: '', state: '', host: this.subject, sort: 'state', down: false });
    if (ids.length === 0) return html`<p class="dim">No instance is defined on this host.</p>`;
    return html`<div class="tiles">${ids.slice(0, 60).map((id) => {
      const { name, state } = instances.get(id)!.attributes;
      const load = instances.get(id)!.loadNow();
      return html`<a class="tile" href="#/instances/${id}" title=${visibleText(name!)}>${stateMark(state!, null)}<b>${visibleText(name!)}</b><span class="dim">${load ? percentText(load.cpuRatio) : state}</span></a>`;
    })}
    ${ids.length > 60 ? html`<a class="tile" href="#/instances?host=${this.subject}">and ${ids.length - 60} more</a>` : null}</div>`;
  }
}
