import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { countText, spanText } from '../../dom/format.ts';
import type { Histogram } from '../../models/histogram.ts';
import type { HostModel } from '../../models/nouns.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { View, type ViewOptions } from '../base/view.ts';
import { meter, stateMark } from './marks.ts';

export interface FleetPanelOptions extends ViewOptions {
  deps: Pick<PageDeps, 'models' | 'nowMs'>;
  histogram: Histogram;
}

const MINUTE_MS = 60_000;
const ATTENTION: Record<string, number> = { conflict: 0, lost: 1, stale: 2, online: 3 };

/** The state of the fleet beside the stream: hosts that need a look first, then the others by name. */
export class FleetPanel extends View<FleetPanelOptions> {
  override preinitialize(options: FleetPanelOptions): void {
    super.preinitialize(options);
    this.tagName = 'aside';
    this.className = 'fleet';
  }

  override initialize(): void {
    this.el.setAttribute('aria-label', 'State of the fleet');
    const { hosts, instances, candidates } = this.options.deps.models;
    this.listenTo(hosts, 'update change loaded', this.redraw);
    this.listenTo(instances, 'update change:state loaded', this.redraw);
    this.listenTo(candidates, 'update change', this.redraw);
    // Rates follow once a second: the histogram changes with every batch of lines.
    this.every(1_000, () => this.redraw());
  }

  /** Lines and errors of the last minute, as the histogram of this view counts them. */
  perMinute(): { lines: number; errors: number } {
    const { histogram } = this.options;
    const buckets = Math.max(1, Math.round(MINUTE_MS / histogram.bucketMs));
    let lines = 0;
    let errors = 0;
    for (let index = Math.max(0, histogram.size - buckets); index < histogram.size; index += 1) {
      lines += histogram.total(index);
      errors += histogram.counts.error[index]!;
    }
    return { lines, errors };
  }

  override template(): TemplateResult {
    const { models } = this.options.deps;
    const running = models.instances.filter((instance) => instance.get('state') === 'running').length;
    const crashed = models.instances.filter((instance) => instance.get('state') === 'crashed').length;
    const online = models.hosts.filter((host) => host.get('state') === 'online').length;
    const rate = this.perMinute();
    const sorted = [...models.hosts.models].sort(
      (a, b) => (ATTENTION[a.get('state')!] ?? 3) - (ATTENTION[b.get('state')!] ?? 3),
    );
    const waiting = models.candidates.waiting().length;
    return html`
      <dl class="figures">
        <div><dt>Hosts online</dt><dd class=${online < models.hosts.length ? 'tone-bad' : ''}>${online}<small>/${models.hosts.length}</small></dd></div>
        <div><dt>Running</dt><dd>${countText(running)}<small>/${countText(models.instances.length)}</small></dd></div>
        <div><dt>Lines a minute</dt><dd>${countText(rate.lines)}</dd></div>
        <div><dt>Errors a minute</dt><dd class=${rate.errors > 0 ? 'tone-bad' : ''}>${countText(rate.errors)}</dd></div>
      </dl>
      ${
        crashed === 0
          ? null
          : html`<a class="fleet-note tone-bad" href="#/instances?state=crashed">${crashed === 1 ? '1 instance has' : `${crashed} instances have`} crashed</a>`
      }
      ${
        waiting === 0
          ? null
          : html`<a class="fleet-note tone-accent" href="#/hosts">${waiting === 1 ? '1 agent waits' : `${waiting} agents wait`} to be enrolled</a>`
      }
      <h2>Hosts</h2>
      ${
        sorted.length === 0
          ? html`<p class="empty-hint">No host yet. <a href="#/hosts">Scan your network</a> or run the agent on a machine with libvirt.</p>`
          : html`<ul class="fleet-hosts">${sorted.map((host) => this.host(host))}</ul>`
      }`;
  }

  host(model: HostModel): TemplateResult {
    const host = model.attributes;
    const age = host.state === 'online' ? '' : spanText(this.options.deps.nowMs() - host.seenMs!);
    return html`<li>
      <a href="#/hosts/${host.id}">
        <span class="fleet-name">${stateMark(host.state!, null)}<b>${visibleText(host.name!)}</b></span>
        <span class="fleet-side">${age === '' ? `${host.runningCount} running` : html`<span class="age">${host.state}, ${age}</span>`}</span>
        ${host.state === 'online' && host.load ? meter(host.load.cpuRatio, `CPU of ${host.name}`) : null}
      </a>
    </li>`;
  }
}
