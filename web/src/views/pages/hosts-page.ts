import { html, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import { repeat } from 'lit-html/directives/repeat.js';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { skewText } from '../../dom/clock-skew.ts';
import { bytesText, plural, spanText, utcText } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';
import type { HostModel } from '../../models/nouns.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { Page } from '../base/page.ts';
import { DiscoveryPanel } from '../widgets/discovery-panel.ts';
import { meter, stateMark } from '../widgets/marks.ts';

/** So many hosts are seen at a glance; more have a search. */
const FEW_HOSTS = 12;

/** All hosts with their state and load, and below them what the crawler found. */
export class HostsPage extends Page<PageDeps> {
  declare list: HTMLElement;
  declare discovery: DiscoveryPanel;
  declare q: string;

  override initialize(): void {
    this.el.classList.add('page-hosts');
    this.q = new URLSearchParams(this.query).get('q') ?? '';
    this.listenTo(this.deps.models.hosts, 'update change loaded', this.redraw);
    this.listenTo(this.deps.models.candidates, 'update change loaded', this.redraw);
    this.every(1_000, () => this.redraw());
    this.discovery = new DiscoveryPanel({ parent: this, deps: this.deps });
    this.discovery.draw();
  }

  override title(): string {
    return 'Hosts';
  }

  override updateQuery(query: string): boolean {
    this.q = new URLSearchParams(query).get('q') ?? '';
    this.redraw();
    return true;
  }

  search(q: string): void {
    // The address follows a moment later: a drawing in between must not take back what was typed.
    this.q = q;
    this.deps.go(q === '' ? '/hosts' : `/hosts?${new URLSearchParams({ q })}`, true);
  }

  matching(): HostModel[] {
    const words = this.q.toLowerCase().split(/\s+/).filter(Boolean);
    return this.deps.models.hosts.filter((host) => {
      const text = `${host.get('name')} ${host.get('address')} ${host.get('state')}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }

  /** Many hosts stand above it: what waits to be enrolled is one click away. */
  showDiscovery(): void {
    this.discovery.el.scrollIntoView();
    this.discovery.el.querySelector<HTMLElement>('.candidate button, input')?.focus({ preventScroll: true });
  }

  override template(): TemplateResult {
    const { hosts, candidates } = this.deps.models;
    const waiting = candidates.waiting().length;
    const shown = this.matching();
    const online = hosts.filter((host) => host.get('state') === 'online').length;
    return html`<div class="page-title"><h1>Hosts</h1><span class="dim">${hosts.length === 0 ? '' : `${online} of ${plural(hosts.length, 'host')} online`}</span>
        ${hosts.length === 0 ? null : html`<div class="title-end"><button type="button" class="btn ${waiting > 0 ? 'btn-accent' : 'btn-quiet'}" @click=${() => this.showDiscovery()}>${icon('radar')} ${waiting > 0 ? plural(waiting, 'new agent') : 'Find hosts'}</button></div>`}</div>
      ${
        hosts.length <= FEW_HOSTS && this.q === ''
          ? null
          : html`<div class="filter-row"><div class="search-box">${icon('search')}<input type="search" class="form-control" placeholder="Name, address or state" aria-label="Search hosts"
              autocomplete="off" spellcheck="false" .value=${live(this.q)} @input=${(event: Event) => this.search((event.target as HTMLInputElement).value)} /><kbd class="search-key">/</kbd></div></div>`
      }
      ${
        hosts.length === 0
          ? html`<div class="empty"><h2>No host yet</h2><p>Scan your network below and enrol what is found, or run <code>webvirt agent enrol</code> on a machine with libvirt.</p></div>`
          : shown.length === 0
            ? html`<div class="empty"><h2>No host matches</h2><a class="btn btn-quiet" href="#/hosts">Show all</a></div>`
            : html`<div class="host-table" role="table" aria-label="Hosts">
            <div class="host-row host-head" role="row">${['Host', 'State', 'CPU', 'Memory', 'Load', 'Instances', 'Hypervisor'].map((name) => html`<span role="columnheader">${name}</span>`)}</div>
            ${repeat(
              shown,
              (host) => host.id,
              (host) => this.row(host),
            )}
          </div>`
      }
      ${this.discovery.el}`;
  }

  row(model: HostModel): TemplateResult {
    const host = model.attributes;
    const away = host.state !== 'online';
    const memory = host.load ? host.load.memoryUsedBytes / Math.max(1, host.memoryBytes!) : null;
    const name = visibleText(host.name!);
    const skew = skewText(host.clockOffsetMs);
    return html`<div class="host-row ${away ? 'is-away' : ''}" role="row">
      <span role="cell" class="h-name"><a href="#/hosts/${host.id}">${name}</a><small>${host.address}</small></span>
      <span role="cell" class="h-state">${stateMark(host.state!)}<small title=${utcText(host.seenMs!)}>${away ? `heard ${spanText(this.deps.nowMs() - host.seenMs!)} ago` : ''}</small></span>
      <span role="cell" class="h-cpu" data-label="CPU">${meter(host.load?.cpuRatio ?? null, `CPU of ${name}`)}</span>
      <span role="cell" class="h-memory" data-label="Memory">${meter(memory, `Memory of ${name}`, host.load ? `${bytesText(host.load.memoryUsedBytes)} / ${bytesText(host.memoryBytes!)}` : null)}</span>
      <span role="cell" class="h-load" data-label="Load">${host.load ? host.load.load1.toFixed(2) : '–'}<small> / ${host.cpus}</small></span>
      <span role="cell" class="h-count" data-label="Running"><a href="#/instances?host=${host.id}">${host.runningCount} of ${host.instanceCount}</a></span>
      <span role="cell" class="h-kind">${visibleText(host.hypervisor!)}<small>${visibleText(host.hypervisorVersion ?? '')}</small></span>
      ${host.limited || host.libvirtAnswers === false ? html`<span class="h-limited">${icon('warn')} ${visibleText(host.limited ?? 'libvirt does not answer; instances are shown as last known.')}</span>` : null}
      ${skew === null ? null : html`<span class="h-limited">${icon('warn')} ${skew}</span>`}
    </div>`;
  }
}
