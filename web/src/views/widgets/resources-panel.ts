import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { bytesText } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { View, type ViewOptions } from '../base/view.ts';
import { meter } from './marks.ts';

export interface ResourcesOptions extends ViewOptions {
  deps: PageDeps;
  host: string;
}

/** What a host has for instances: its pools with their free space, its base images, its networks. */
export class ResourcesPanel extends View<ResourcesOptions> {
  override preinitialize(options: ResourcesOptions): void {
    super.preinitialize(options);
    this.className = 'resources';
  }

  override initialize(): void {
    const { deps, host } = this.options;
    const following = deps.follow.resources(host);
    this.cleanup(() => following.close());
    this.listenTo(deps.models.resources, 'update change', this.redraw);
  }

  override template(): TemplateResult {
    const { deps, host } = this.options;
    const known = deps.models.resources.get(host)?.attributes;
    if (known === undefined) return html``;
    if (known.pools === undefined)
      return html`<p class="dim">Its pools cannot be read now: ${visibleText(known.fault ?? 'the host has not told them yet')}</p>`;
    const { pools, images = [], networks = [], memoryAvailableBytes, stale } = known;
    return html`<div class="section-title"><h2>For instances</h2><span class="dim">${memoryAvailableBytes === undefined ? '' : `${bytesText(memoryAvailableBytes)} memory could be given to a new one${stale ? ', as last told' : ''}`}</span>
        <span class="section-end"><button type="button" class="btn btn-sm btn-quiet" ?disabled=${stale} @click=${() => deps.dialogs.launch({ host })}>${icon('play')} Launch here</button></span></div>
      <div class="resource-columns">
        <section><h3>Pools</h3>${
          pools.length === 0
            ? html`<p class="dim">No pool is configured. A pool is a folder that the agent's configuration names.</p>`
            : html`<ul class="pools">${pools.map((pool) => {
                const used = pool.totalBytes > 0 ? 1 - pool.freeBytes / pool.totalBytes : null;
                return html`<li><b>${visibleText(pool.name)}</b>${pool.shared ? html`<span class="tag" title="Other hosts see this file system too">shared</span>` : null}<code title=${visibleText(pool.path)}>${visibleText(pool.path)}</code>
                  ${pool.fault ? html`<span class="tone-warn">${icon('warn')} ${visibleText(pool.fault)}</span>` : meter(used, `Used of ${pool.name}`, `${bytesText(pool.freeBytes)} free of ${bytesText(pool.totalBytes)}`)}</li>`;
              })}</ul>`
        }</section>
        <section><h3>Base images <button type="button" class="btn btn-sm btn-quiet" ?disabled=${stale} @click=${() => deps.dialogs.registerImage({ host })}>Register</button></h3>${
          images.length === 0
            ? html`<p class="dim">None yet.</p>`
            : html`<ul class="devices">${images.map(
                (image) =>
                  html`<li class="device" title=${visibleText(image.path)}><b>${visibleText(image.name)}</b><span>${bytesText(image.virtualBytes)}, ${image.format}</span>${image.fault ? html`<span class="tone-warn">${icon('warn')} ${visibleText(image.fault)}</span>` : null}</li>`,
              )}</ul>`
        }<h3>Networks</h3>${
          networks.length === 0
            ? html`<p class="dim">None.</p>`
            : html`<ul class="devices">${networks.map((one) => html`<li class="device"><b>${visibleText(one.name)}</b><span>${one.kind}${one.active ? '' : ', not active'}</span></li>`)}</ul>`
        }</section>
      </div>`;
  }
}
