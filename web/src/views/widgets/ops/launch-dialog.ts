import { html, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import { icon } from '../../../dom/icons.ts';
import {
  type BaseChoice,
  baseChoices,
  hostChoices,
  type LaunchFaults,
  type LaunchForm,
  launchFaults,
  launchRequest,
  likeliestHost,
  networkChoices,
  type PlanHost,
  suggestName,
} from '../../../models/launch-plan.ts';
import { baseList, hostList } from './launch-choices.ts';
import { networkField, sizeFields } from './launch-fields.ts';
import { launchSentence } from './launch-sentence.ts';
import { field, OpDialog, type OpDialogOptions } from './op-dialog.ts';

export interface LaunchOptions extends OpDialogOptions {
  preset: { host?: string; base?: string };
}

/** Which field an error of the manager belongs under. */
const FIELD_OF: Record<string, keyof LaunchFaults> = {
  'bad-name': 'name',
  'name-taken': 'name',
  'no-room': 'host',
  'no-capacity': 'host',
  'host-unreachable': 'host',
};
/** So many hosts are watched at most while the dialog is open; the others show what their last sample says. */
const HOSTS_WATCHED = 64;

/** A new instance from a base image: what, where, how large, and in one line what will happen. */
export class LaunchDialog extends OpDialog<LaunchOptions> {
  declare form: LaunchForm;
  declare named: boolean;
  declare networked: boolean;
  declare focused: boolean;
  declare left: Set<string>;
  declare watched: Map<string, { close(): void }>;

  override preinitialize(options: LaunchOptions): void {
    super.preinitialize(options);
    this.className = 'dialog dialog-form dialog-launch';
    this.named = false;
    this.networked = false;
    this.focused = false;
    this.left = new Set();
    this.watched = new Map();
    this.form = {
      ...{ base: options.preset.base ?? '', name: '', host: options.preset.host ?? '', vcpus: '1', memory: '1' },
      ...{ memoryUnit: 'GiB', disk: '', network: '', autostart: false },
    };
  }

  override initialize(): void {
    const { models, follow } = this.deps;
    const images = follow.images();
    this.cleanup(() => images.close());
    this.cleanup(() => {
      for (const one of this.watched.values()) one.close();
    });
    this.listenTo(models.images, 'update change loaded', this.redraw);
    this.listenTo(models.resources, 'update change', this.redraw);
    this.listenTo(models.hosts, 'update change loaded', this.redraw);
    this.listenTo(models.instances, 'update change:name', this.redraw);
  }

  set(change: Partial<LaunchForm>): void {
    Object.assign(this.form, change);
    if (this.refused !== null) this.refused = null;
    this.draw();
  }

  hosts(): PlanHost[] {
    const { hosts, resources } = this.deps.models;
    return hosts.map(({ attributes: host }): PlanHost => {
      const known = resources.get(host.id!)?.attributes;
      const { memoryAvailableBytes, pools, networks, domainType = null } = known ?? {};
      return {
        ...{ id: host.id!, name: host.name!, state: host.state!, cpus: host.cpus! },
        freeMemoryBytes: host.load ? Math.max(0, host.memoryBytes! - host.load.memoryUsedBytes) : null,
        resources:
          memoryAvailableBytes === undefined || pools === undefined || networks === undefined
            ? null
            : { memoryAvailableBytes, pools, networks, domainType },
      };
    });
  }

  /** Hosts that have the chosen image are watched while it is chosen. */
  watch(ids: readonly string[]): void {
    const wanted = new Set(ids.slice(0, HOSTS_WATCHED));
    for (const [id, one] of this.watched) {
      if (wanted.has(id)) continue;
      one.close();
      this.watched.delete(id);
    }
    for (const id of wanted) if (!this.watched.has(id)) this.watched.set(id, this.deps.follow.resources(id));
  }

  taken(): Map<string, string> {
    return new Map(
      this.deps.models.instances.map(({ attributes: one }) => [
        one.name!.toLowerCase(),
        `${one.hostName} (${one.state})`,
      ]),
    );
  }

  submit(event: Event): void {
    event.preventDefault();
    const plan = this.plan();
    this.left = new Set(['base', 'name', 'host', 'vcpus', 'memory', 'disk']);
    if (Object.keys(plan.faults).length > 0) {
      this.draw();
      this.el.querySelector<HTMLElement>('.field.is-bad :is(input, select)')?.focus();
      return;
    }
    const request = launchRequest(this.form);
    void this.send(
      request,
      (opId) => this.deps.operations.launch(request, opId),
      ({ job }) => {
        this.close();
        this.deps.go(`/jobs/${encodeURIComponent(job.id)}`);
      },
    );
  }

  plan() {
    const images = this.deps.models.images.map(({ attributes }) => attributes as Required<typeof attributes>);
    const hosts = this.hosts();
    const bases = baseChoices(images);
    const { form } = this;
    const taken = this.taken();
    if (!bases.some(({ name }) => name === form.base)) {
      const able = bases.filter(({ fault }) => fault === null);
      const onHost = (name: string) => images.some((image) => image.name === name && image.host === form.host);
      form.base = (able.find(({ name }) => onHost(name)) ?? able[0])?.name ?? '';
    }
    const base = bases.find(({ name }) => name === form.base) ?? null;
    if (!this.named && base !== null) form.name = suggestName(base.name, new Set(taken.keys()));
    this.watch(images.filter(({ name }) => name === form.base).map(({ host }) => host));
    const choices = hostChoices(images, hosts, form);
    if (form.host !== '' && !choices.some(({ id }) => id === form.host)) form.host = '';
    const networks = networkChoices(choices, hosts, form.host);
    if (!this.networked) form.network = (networks.find(({ name }) => name === 'default') ?? networks[0])?.name ?? '';
    const likeliest = likeliestHost(choices, hosts, form.network);
    const faults = launchFaults(form, base, choices, taken);
    const place = form.host === '' ? likeliest : (choices.find(({ id }) => id === form.host) ?? null);
    return { bases, base, hosts, choices, networks, likeliest, faults, place };
  }

  /** The form comes after the images: the first field takes the focus then. */
  override draw(): this {
    super.draw();
    const first = this.focused ? null : this.el.querySelector<HTMLElement>('#launch-name');
    if (first !== null && this.dialog.open) {
      this.focused = true;
      first.focus();
    }
    return this;
  }

  leave(key: keyof LaunchFaults): void {
    this.left.add(key);
    this.redraw();
  }

  /** A fault is shown once the field was left, or the form was sent; a refusal of the manager always. */
  shown(key: keyof LaunchFaults, faults: LaunchFaults): string | undefined {
    if (this.refused !== null && FIELD_OF[this.refused.code] === key) return this.refused.message;
    return this.left.has(key) ? faults[key] : undefined;
  }

  override template(): TemplateResult {
    const { models, dialogs } = this.deps;
    const plan = this.plan();
    if (plan.bases.length === 0) {
      return html`${this.headTemplate('Launch an instance')}
        ${
          models.images.loaded
            ? html`<div class="empty empty-small"><h3>No base image yet</h3><p>A new instance is a thin clone of a base image: a qcow2 or raw file in a pool of a host. Put one there and register it; then it can be launched any number of times.</p>
              <button type="button" class="btn btn-accent" data-first @click=${() => {
                this.close();
                dialogs.registerImage(this.options.preset);
              }}>Register a base image</button></div>`
            : html`<div class="empty empty-small"><span class="spinner"></span> Reading the base images…</div>`
        }`;
    }
    const elsewhere = this.refused !== null && FIELD_OF[this.refused.code] !== undefined;
    return html`<form novalidate @submit=${(event: Event) => this.submit(event)}>
      ${this.headTemplate('Launch an instance')}
      <div class="form-body"><div class="form-columns"><div>
        ${baseList(plan.bases, this.form.base, this.shown('base', plan.faults), (base) => this.set({ base }))}
        ${this.nameField(plan.faults, plan.base)}</div><div>
        ${hostList(plan.choices, this.form.host, plan.likeliest, this.shown('host', plan.faults), (host) => {
          this.left.add('host');
          this.set({ host });
        })}
        </div></div>
        <div class="field-row field-row-launch">${sizeFields(
          this.form,
          plan.base,
          (key) => this.shown(key, plan.faults),
          (change) => this.set(change),
          (key) => this.leave(key),
        )}${networkField(this.form, plan.networks, (network) => {
          this.networked = true;
          this.set({ network });
        })}</div>
        <label class="check"><input type="checkbox" .checked=${live(this.form.autostart)} @change=${(event: Event) => this.set({ autostart: (event.target as HTMLInputElement).checked })} /> Start it with its host</label>
      </div>
      <div class="form-end">
        ${elsewhere ? null : this.refusedTemplate()}
        <p class="sentence" aria-live="polite">${launchSentence(this.form, plan.base, plan.place)}</p>
        ${this.footTemplate(`Launch${this.form.name ? ` ${this.form.name}` : ''}`, plan.base !== null)}
      </div></form>`;
  }

  nameField(faults: LaunchFaults, base: BaseChoice | null): TemplateResult {
    const fault = this.named ? (this.shown('name', faults) ?? faults.name) : this.shown('name', faults);
    return field(
      'launch-name',
      'Name',
      html`<input id="launch-name" class="form-control" autocomplete="off" spellcheck="false" maxlength="80" data-first aria-describedby="launch-name-note"
        aria-invalid=${fault ? 'true' : 'false'} .value=${live(this.form.name)} @focus=${(event: Event) => this.named || (event.target as HTMLInputElement).select()}
        @input=${(event: Event) => {
          this.named = true;
          this.set({ name: (event.target as HTMLInputElement).value });
        }} />`,
      {
        fault,
        hint:
          base === null
            ? undefined
            : this.named
              ? html`${icon('check')} free in the whole fleet`
              : 'A free name; type another if you like',
      },
    );
  }
}
