import { html, nothing, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import type { ComputeLimits } from '../../../../../common/model/compute.ts';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { bytesText, plural, spanText } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';
import type { ServerModel } from '../../../models/compute/sessions.ts';
import type { PageDeps } from '../../../models/page-deps.ts';
import { View, type ViewOptions } from '../../base/view.ts';
import { stateMark } from '../marks.ts';

export interface ServersPanelOptions extends ViewOptions {
  deps: Pick<PageDeps, 'compute'>;
}

const WORDS: Record<string, string> = {
  ready: 'computes',
  starting: 'starting',
  refused: 'refuses',
  absent: 'no compute server',
};

/** Which hosts compute, within which limits, and why one does not: what its self-test of the containment found. */
export class ServersPanel extends View<ServersPanelOptions> {
  declare open: Set<string>;

  override preinitialize(options: ServersPanelOptions): void {
    super.preinitialize(options);
    this.className = 'servers';
    this.open = new Set();
  }

  override initialize(): void {
    this.listenTo(this.options.deps.compute.servers, 'update change loaded', this.redraw);
  }

  override template(): TemplateResult {
    const { servers } = this.options.deps.compute;
    return html`<div class="section-title"><h2>Hosts that compute</h2><span class="dim">${servers.filter((one) => one.ready()).length} of ${plural(servers.length, 'host')}</span></div>
      <ul class="server-list">${repeat(
        servers.models,
        (server) => server.get('host'),
        (server) => this.row(server),
      )}</ul>`;
  }

  row(server: ServerModel): TemplateResult {
    const { host, hostName, state, stale, reason, kernels, checks, limits, sessions } = server.attributes;
    const failed = (checks ?? []).filter(({ holds }) => !holds);
    const open = this.open.has(host!);
    const toggle = () => {
      if (!this.open.delete(host!)) this.open.add(host!);
      this.draw();
    };
    return html`<li class="server">
      <div class="server-line"><a href="#/hosts/${host}"><b>${visibleText(hostName!)}</b></a>
        ${stateMark(state!, WORDS[state!] ?? state!)}${stale ? html`<span class="badge-stale">last known</span>` : nothing}
        <span class="dim">${(kernels ?? []).map((kernel) => `${visibleText(kernel.title)} (${kernel.pooled} ready)`).join(', ')}</span>
        <span class="dim">${limits ? `${sessions} of ${plural(limits.sessions, 'session')}` : ''}</span>
        ${
          (checks ?? []).length === 0
            ? nothing
            : html`<button type="button" class="btn btn-sm btn-quiet" aria-expanded=${open ? 'true' : 'false'} @click=${toggle}>
              ${icon(open ? 'down' : 'chevron')} ${failed.length > 0 ? `${failed.length} of ${plural(checks!.length, 'check')} failed` : `${plural(checks!.length, 'check')} of its containment passed`}</button>`
        }</div>
      ${reason ? html`<p class=${state === 'refused' ? 'warn-note' : 'dim'}>${state === 'refused' ? icon('warn') : nothing} ${visibleText(reason)}</p>` : nothing}
      ${open || state !== 'refused' ? nothing : checkList(failed)}
      ${open ? html`${limits ? limitLine(limits) : nothing}${checkList(checks ?? [])}` : nothing}
    </li>`;
  }
}

function checkList(checks: readonly { name: string; holds: boolean; text: string }[]): TemplateResult {
  return html`<ul class="wall-list">${checks.map(
    ({ name, holds, text }) => html`<li class=${holds ? '' : 'tone-bad'}>${icon(holds ? 'check' : 'close')}
      <span class="visually-hidden">${holds ? 'holds' : 'does not hold'}: </span><b>${visibleText(name)}</b> <span>${visibleText(text)}</span></li>`,
  )}</ul>`;
}

function limitLine(limits: ComputeLimits): TemplateResult {
  const each = [
    bytesText(limits.memoryBytes),
    `${limits.cpus} CPU`,
    plural(limits.processes, 'process', 'processes'),
    `${bytesText(limits.diskBytes)} of files`,
    `${bytesText(limits.outputBytes)} of output`,
    `${spanText(limits.cellMs)} a cell`,
  ];
  return html`<p class="dim">Each session: ${each.join(', ')}. Ended after ${spanText(limits.idleMs)} without a run or a viewer, and after ${spanText(limits.lifeMs)} in any case.</p>`;
}
