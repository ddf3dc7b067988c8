import { html, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import { repeat } from 'lit-html/directives/repeat.js';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { bytesText, countText, dayTimeText, plural, utcText } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';
import { type ImageModel, type ImageRow, imageKey } from '../../models/nouns.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { StillOrder } from '../../models/still-order.ts';
import { Page } from '../base/page.ts';

const HEADS = ['Name', 'Host', 'Pool', 'Disk', 'File', 'Clones', ''];

/** The base images of all hosts: what new instances are thin clones of. */
export class ImagesPage extends Page<PageDeps> {
  declare q: string;
  declare order: StillOrder;

  override initialize(): void {
    this.el.classList.add('page-images');
    this.q = new URLSearchParams(this.query).get('q') ?? '';
    this.order = new StillOrder();
    const { images } = this.deps.models;
    const following = this.deps.follow.images();
    this.cleanup(() => following.close());
    this.listenTo(images, 'update change loaded', this.redraw);
  }

  override title(): string {
    return 'Images';
  }

  override updateQuery(query: string): boolean {
    this.q = new URLSearchParams(query).get('q') ?? '';
    this.order.release();
    this.redraw();
    return true;
  }

  override onKey(key: string): boolean {
    if (key !== 'r') return false;
    this.deps.dialogs.registerImage();
    return true;
  }

  matching(): ImageModel[] {
    const words = this.q.toLowerCase().split(/\s+/).filter(Boolean);
    return this.deps.models.images.filter((image) => {
      const text = `${image.get('name')} ${image.get('hostName')} ${image.get('pool')}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }

  override template(): TemplateResult {
    const { images } = this.deps.models;
    this.order.set(this.matching().map(({ attributes }) => imageKey(attributes as ImageRow)));
    const { fresh } = this.order.waiting();
    const shown = this.order.shown.flatMap((key) => images.get(key) ?? []);
    const register = html`<button type="button" class="btn btn-accent" @click=${() => this.deps.dialogs.registerImage()}>Register an image</button>`;
    return html`<div class="page-title"><h1>Base images</h1><span class="dim">${images.length === 0 ? '' : `${countText(shown.length)} of ${countText(images.length)}`}</span>
        ${images.length === 0 ? null : html`<div class="title-end">${register}</div>`}</div>
      ${
        images.length > 0
          ? html`<div class="filter-row"><div class="search-box">${icon('search')}<input type="search" class="form-control" placeholder="Name, host or pool" aria-label="Search base images"
              autocomplete="off" spellcheck="false" .value=${live(this.q)} @input=${(event: Event) => this.search((event.target as HTMLInputElement).value)} /><kbd class="search-key">/</kbd></div>
              ${fresh > 0 ? html`<button type="button" class="waiting" @click=${() => this.takeOrder()}>${fresh} new</button>` : null}</div>`
          : null
      }
      ${this.body(shown, register)}`;
  }

  body(shown: readonly ImageModel[], register: TemplateResult): TemplateResult {
    const { images } = this.deps.models;
    if (images.length === 0) {
      return images.loaded
        ? html`<div class="empty"><h2>No base image yet</h2><p>New instances are thin clones of base images. Put a qcow2 or raw file into a pool of a host, then register it here.</p>${register}</div>`
        : html`<div class="empty"><span class="spinner"></span></div>`;
    }
    if (shown.length === 0)
      return html`<div class="empty"><h2>No base image matches</h2><a class="btn btn-quiet" href="#/images">Show all</a></div>`;
    return html`<div class="host-table image-table" role="table" aria-label="Base images" @pointerenter=${(event: PointerEvent) => event.pointerType === 'mouse' && this.order.hold()}
        @pointerleave=${() => this.order.release() && this.redraw()}>
      <div class="host-row host-head" role="row">${HEADS.map((name) => html`<span role="columnheader">${name}</span>`)}</div>
      ${repeat(
        shown,
        ({ attributes }) => imageKey(attributes as ImageRow),
        ({ attributes }) => this.row(attributes as ImageRow),
      )}</div>`;
  }

  row(image: ImageRow): TemplateResult {
    const usable = !image.fault && !image.stale;
    return html`<div class="host-row ${image.stale ? 'is-away' : ''}" role="row">
      <span role="cell" class="i-name"><b title=${visibleText(image.path)}>${visibleText(image.name)}</b><small title=${utcText(image.registeredMs)}>since ${dayTimeText(image.registeredMs).slice(0, 16)}${image.kernel ? ', own kernel' : ''}</small></span>
      <span role="cell" class="i-host"><a href="#/hosts/${image.host}">${visibleText(image.hostName)}</a>${image.stale ? html`<span class="badge-stale" title="Last known: the host does not answer">stale</span>` : null}</span>
      <span role="cell" class="i-pool" data-label="Pool">${visibleText(image.pool)}</span>
      <span role="cell" class="i-disk" data-label="Disk">${bytesText(image.virtualBytes)} <small>${image.format}</small></span>
      <span role="cell" class="i-file" data-label="File">${bytesText(image.fileBytes)}</span>
      <span role="cell" class="i-used" data-label="Clones">${image.usedBy === 0 ? html`<span class="dim">none</span>` : plural(image.usedBy, 'clone')}</span>
      <span role="cell" class="i-actions"><button type="button" class="btn btn-sm btn-quiet" ?disabled=${!usable} @click=${() => this.deps.dialogs.launch({ base: image.name, host: image.host })}>${icon('play')} launch</button>
        <button type="button" class="btn btn-sm btn-quiet" ?disabled=${image.stale} @click=${() => this.deps.dialogs.forgetImage(image)}>forget</button></span>
      ${image.fault ? html`<span class="h-limited">${icon('warn')} ${visibleText(image.fault)}</span>` : null}
    </div>`;
  }

  search(q: string): void {
    // The address follows a moment later: a drawing in between must not take back what was typed.
    this.q = q;
    this.deps.go(q === '' ? '/images' : `/images?${new URLSearchParams({ q })}`, true);
  }

  takeOrder(): void {
    this.order.refresh();
    this.redraw();
  }
}
