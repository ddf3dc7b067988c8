import { html, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { icon } from '../../../dom/icons.ts';
import { type DiskFate, diskFates } from '../../../models/delete-plan.ts';
import type { InstanceModel } from '../../../models/nouns.ts';
import { field, OpDialog, type OpDialogOptions } from './op-dialog.ts';

export interface DeleteOptions extends OpDialogOptions {
  instance: InstanceModel;
}

const AT_REST = new Set(['shutoff', 'saved', 'crashed']);

/** Removes an instance for good: says which disks go and which stay, and wants the name typed. */
export class DeleteDialog extends OpDialog<DeleteOptions> {
  declare typed: string;
  declare force: boolean;

  override preinitialize(options: DeleteOptions): void {
    super.preinitialize(options);
    this.className = 'dialog dialog-danger dialog-form';
    this.typed = '';
    this.force = false;
  }

  override initialize(): void {
    const { instance } = this.options;
    const resources = this.deps.follow.resources(instance.get('host')!);
    this.cleanup(() => resources.close());
    this.listenTo(instance, 'change', this.redraw);
    this.listenTo(this.deps.models.resources, 'update change', this.redraw);
  }

  get runs(): boolean {
    return !AT_REST.has(this.options.instance.get('state')!);
  }

  get ready(): boolean {
    return this.typed === this.options.instance.get('name') && (!this.runs || this.force);
  }

  submit(event: Event): void {
    event.preventDefault();
    if (!this.ready) return;
    const id = String(this.options.instance.id);
    const request = { typed: this.typed, force: this.runs && this.force };
    void this.send(
      request,
      (opId) => this.deps.operations.removeInstance(id, request.typed, request.force, opId),
      (job) => {
        this.close();
        this.deps.go(`/jobs/${encodeURIComponent(job.id)}`);
      },
    );
  }

  override template(): TemplateResult {
    const { instance } = this.options;
    const { name, host, hostName, state, disks } = instance.attributes;
    const known = this.deps.models.resources.get(host!)?.attributes;
    const places = known?.pools && known.images ? { pools: known.pools, images: known.images } : null;
    const fates = diskFates({ id: String(instance.id), ...(disks ? { disks } : {}) }, places);
    const shown = visibleText(name!);
    return html`<form novalidate @submit=${(event: Event) => this.submit(event)}>
      ${this.headTemplate(`Delete ${name}?`)}
      <div class="form-body">
        <p>Its definition on <b>${visibleText(hostName!)}</b> is removed for good. Its lines stay.</p>
        <ul class="fates">${fates.map(fateTemplate)}${fates.length === 0 ? html`<li><b>Disks</b><span>it has none</span></li>` : null}</ul>
        ${
          this.runs
            ? html`<label class="check check-danger"><input type="checkbox" .checked=${live(this.force)} @change=${(
                event: Event,
              ) => {
                this.force = (event.target as HTMLInputElement).checked;
                this.draw();
              }} /><span>It is <b>${state}</b>: cut its power first. What the guest has not written to disk is lost.</span></label>`
            : null
        }
        ${field(
          'delete-name',
          `Type ${shown} to confirm`,
          html`<input id="delete-name" class="form-control mono" autocomplete="off" autocapitalize="off" spellcheck="false" data-first .value=${live(this.typed)} @input=${(
            event: Event,
          ) => {
            this.typed = (event.target as HTMLInputElement).value;
            this.draw();
          }} />`,
          { hint: this.typed === name ? (this.runs && !this.force ? 'Say above that its power may be cut' : '') : '' },
        )}
      </div>
      <div class="form-end">${this.refusedTemplate()}
        ${this.footTemplate(`Delete ${shown}`, this.ready, { danger: true, cancel: 'Keep it' })}</div></form>`;
  }
}

function fateTemplate(fate: DiskFate): TemplateResult {
  return html`<li class=${fate.goes ? 'is-going' : ''}><b>${fate.goes ? html`${icon('close')} Goes` : html`${icon('check')} Stays`}</b>
    <span>${visibleText(fate.target)} <code title=${visibleText(fate.path)}>${visibleText(fate.path)}</code><small>${visibleText(fate.why)}</small></span></li>`;
}
