import { html, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import { IMAGE_FORMATS } from '../../../../../common/model/words.ts';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { bytesText } from '../../../dom/format.ts';
import {
  formatOfFile,
  type ImageFaults,
  type ImageForm,
  imageFaults,
  nameOfFile,
  registerRequest,
  takenNames,
} from '../../../models/image-form.ts';
import { field, OpDialog, type OpDialogOptions } from './op-dialog.ts';

export interface RegisterOptions extends OpDialogOptions {
  preset: { host?: string };
}

const FIELD_OF: Record<string, keyof ImageForm> = {
  'bad-name': 'name',
  'name-taken': 'name',
  'host-unreachable': 'host',
  'not-found': 'file',
};

/** Makes a file that lies in a pool a base image. Stays open until the host has looked at the file. */
export class RegisterDialog extends OpDialog<RegisterOptions> {
  declare form: ImageForm;
  declare tried: boolean;
  declare named: boolean;
  declare watched: { host: string; close(): void } | null;

  override preinitialize(options: RegisterOptions): void {
    super.preinitialize(options);
    this.className = 'dialog dialog-form';
    this.tried = false;
    this.named = false;
    this.watched = null;
    this.form = {
      ...{ host: options.preset.host ?? '', pool: '', file: '', name: '', format: 'qcow2' },
      ...{ kernel: '', initrd: '', cmdline: '' },
    };
  }

  override initialize(): void {
    const { models, follow } = this.deps;
    const images = follow.images();
    this.cleanup(() => images.close());
    this.cleanup(() => this.watched?.close());
    this.listenTo(models.images, 'update loaded', this.redraw);
    this.listenTo(models.resources, 'update change', this.redraw);
    this.listenTo(models.hosts, 'update change:state loaded', this.redraw);
  }

  set(change: Partial<ImageForm>): void {
    Object.assign(this.form, change);
    if (change.file !== undefined) {
      if (!this.named) this.form.name = nameOfFile(change.file);
      this.form.format = formatOfFile(change.file) ?? this.form.format;
    }
    this.refused = null;
    this.draw();
  }

  /** The host and the pool that are chosen; the first that can be, while none is. */
  settle() {
    const { form } = this;
    const { hosts, resources } = this.deps.models;
    const online = hosts.filter((host) => host.get('state') === 'online' || host.id === form.host);
    if (form.host === '') form.host = String(online[0]?.id ?? '');
    if (form.host !== '' && this.watched?.host !== form.host) {
      this.watched?.close();
      this.watched = { host: form.host, ...this.deps.follow.resources(form.host) };
    }
    const known = resources.get(form.host)?.attributes;
    const pools = known?.pools ?? [];
    if (!pools.some(({ name }) => name === form.pool)) form.pool = pools.find((pool) => !pool.fault)?.name ?? '';
    return { online, known, pools, pool: pools.find(({ name }) => name === form.pool) ?? null };
  }

  faults(): ImageFaults {
    const { images, resources } = this.deps.models;
    const pool = resources.get(this.form.host)?.attributes.pools?.find(({ name }) => name === this.form.pool);
    const all = images.map(({ attributes }) => attributes);
    return imageFaults(this.form, takenNames(all, this.form, pool?.path));
  }

  submit(event: Event): void {
    event.preventDefault();
    this.tried = true;
    if (Object.keys(this.faults()).length > 0) {
      this.draw();
      this.el.querySelector<HTMLElement>('.field.is-bad :is(input, select)')?.focus();
      return;
    }
    const request = registerRequest(this.form);
    void this.send(
      request,
      (opId) => this.deps.operations.registerImage(request, opId),
      (job) => this.awaitJob(job.id, () => this.close()),
    );
  }

  override template(): TemplateResult {
    const { online, known, pools, pool } = this.settle();
    const faults = this.faults();
    const late = (key: keyof ImageForm) =>
      this.refused !== null && FIELD_OF[this.refused.code] === key
        ? this.refused.message
        : this.tried || (key !== 'file' && this.form.file !== '')
          ? faults[key]
          : undefined;
    const input = (
      key: 'file' | 'name' | 'kernel' | 'initrd' | 'cmdline',
      more: { first?: boolean; hint?: string } = {},
    ) =>
      html`<input id="image-${key}" class="form-control mono" autocomplete="off" spellcheck="false" ?data-first=${more.first ?? false}
        placeholder=${more.hint ?? ''} aria-describedby="image-${key}-note" .value=${live(this.form[key])} @input=${(
          event: Event,
        ) => {
          if (key === 'name') this.named = true;
          this.set({ [key]: (event.target as HTMLInputElement).value });
        }} />`;
    const value = (event: Event) => (event.target as HTMLSelectElement).value;
    const elsewhere = this.refused !== null && FIELD_OF[this.refused.code] !== undefined;
    return html`<form novalidate @submit=${(event: Event) => this.submit(event)}>
      ${this.headTemplate('Register a base image')}
      <div class="form-body">
        <p class="dim form-lead">The file must lie in a pool of the host already. It is read, never written; new instances are thin clones of it.</p>
        <div class="field-row">
          ${field(
            'image-host',
            'Host',
            html`<select id="image-host" class="form-select" @change=${(event: Event) => this.set({ host: value(event), pool: '' })}>${online.map(
              (host) =>
                html`<option value=${host.id!} ?selected=${host.id === this.form.host}>${visibleText(host.get('name')!)}${host.get('state') === 'online' ? '' : `, ${host.get('state')}`}</option>`,
            )}</select>`,
            { fault: late('host'), hint: online.length === 0 ? 'No host is online' : undefined },
          )}
          ${field(
            'image-pool',
            'Pool',
            html`<select id="image-pool" class="form-select" @change=${(event: Event) => this.set({ pool: value(event) })}>${pools.map(
              (one) =>
                html`<option value=${one.name} ?selected=${one.name === this.form.pool} ?disabled=${Boolean(one.fault)}>${visibleText(one.name)}, ${one.fault ? visibleText(one.fault) : `${bytesText(one.freeBytes)} free`}</option>`,
            )}</select>`,
            { fault: known?.fault ?? late('pool'), hint: known === undefined ? 'Reading the pools…' : undefined },
          )}
        </div>
        ${field('image-file', 'File', input('file', { first: true, hint: 'debian-12.qcow2' }), {
          fault: late('file'),
          hint:
            pool === null
              ? undefined
              : html`<code>${visibleText(`${pool.path.replace(/\/$/, '')}/${this.form.file || '…'}`)}</code>`,
        })}
        <div class="field-row">
          ${field('image-name', 'Name', input('name'), { fault: late('name') })}
          ${field(
            'image-format',
            'Format',
            html`<select id="image-format" class="form-select" @change=${(event: Event) => this.set({ format: value(event) as ImageForm['format'] })}>${IMAGE_FORMATS.map(
              (one) => html`<option ?selected=${one === this.form.format}>${one}</option>`,
            )}</select>`,
            { hint: 'Checked on the host' },
          )}
        </div>
        <details class="more" ?open=${faults.kernel !== undefined || faults.initrd !== undefined}><summary>Boots with a kernel of its own</summary>
          ${field('image-kernel', 'Kernel', input('kernel', { hint: 'boot/vmlinuz' }), { fault: faults.kernel })}
          ${field('image-initrd', 'Initrd', input('initrd', { hint: 'boot/initrd.img' }), { fault: faults.initrd })}
          ${field('image-cmdline', 'Kernel command line', input('cmdline', { hint: 'console=ttyS0' }), {})}
        </details>
      </div>
      <div class="form-end">${elsewhere ? null : this.refusedTemplate()}
        ${this.footTemplate(this.jobId !== null ? 'The host reads it' : `Register${this.form.name ? ` ${this.form.name}` : ''}`, this.form.host !== '')}</div></form>`;
  }
}
