import { html, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import type { MigrationCheck, MigrationChecks } from '../../../../../common/model/migration.ts';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { plural } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';
import { checkName, downtimeOf, orderedChecks, targetChoices, type Verdict } from '../../../models/move-plan.ts';
import type { InstanceModel } from '../../../models/nouns.ts';
import { choiceList } from './choice.ts';
import { field, OpDialog, type OpDialogOptions } from './op-dialog.ts';

export interface MigrateOptions extends OpDialogOptions {
  instance: InstanceModel;
}

/** How often the checks are asked anew while the dialog is open. */
const REFRESH_MS = 5_000;
const LOOKS = { good: 'check', warn: 'warn', bad: 'close' } as const;
const VERDICTS: Record<MigrationCheck['verdict'], [Verdict, string]> = {
  ok: ['good', 'fine'],
  warn: ['warn', 'to weigh'],
  fail: ['bad', 'in the way'],
};

/** Where an instance could go, what speaks for and against each place before the click, and how it is to move. */
export class MigrateDialog extends OpDialog<MigrateOptions> {
  declare answers: MigrationChecks[] | null;
  /** The way to move for which the answers hold. */
  declare answeredWay: string;
  declare order: string[];
  declare target: string;
  declare how: { live: boolean; tunnelled: boolean; copyStorage: boolean; maxDowntime: string };
  declare asked: number;
  declare askFault: string | null;

  override preinitialize(options: MigrateOptions): void {
    super.preinitialize(options);
    this.className = 'dialog dialog-form dialog-migrate';
    this.answers = null;
    this.answeredWay = '';
    this.order = [];
    this.target = '';
    this.asked = 0;
    this.askFault = null;
    this.how = { live: this.running, tunnelled: false, copyStorage: false, maxDowntime: '' };
  }

  override initialize(): void {
    const { instance } = this.options;
    this.listenTo(instance, 'change:state change:host', () => void this.ask());
    this.listenTo(this.deps.models.hosts, 'change:state', () => void this.ask());
    this.every(REFRESH_MS, () => void this.ask());
    void this.ask();
  }

  get running(): boolean {
    const state = this.options.instance.get('state');
    return state === 'running' || state === 'paused';
  }

  get way(): string {
    const { live: isLive, tunnelled, copyStorage } = this.how;
    return JSON.stringify([isLive, tunnelled, copyStorage]);
  }

  get chosen(): MigrationChecks | null {
    return this.answers?.find(({ target }) => target === this.target) ?? null;
  }

  /** Checks of another way to move say nothing of this one. */
  get ready(): boolean {
    const limited = downtimeOf(this.how.maxDowntime) !== null;
    return this.chosen?.movable === true && this.answeredWay === this.way && limited;
  }

  /** Asks for the checks; only the newest question's answer counts. */
  async ask(): Promise<void> {
    if (this.busy) return;
    this.asked += 1;
    const { asked, way } = this;
    try {
      const answers = await this.deps.operations.targets(String(this.options.instance.id), this.how);
      if (asked !== this.asked || this.destroyed) return;
      this.answers = answers;
      this.answeredWay = way;
      this.askFault = null;
      const choices = targetChoices(answers, this.order);
      this.order = choices.map(({ id }) => id);
      if (!this.order.includes(this.target))
        this.target = choices.find(({ verdict }) => verdict !== 'bad')?.id ?? this.order[0] ?? '';
    } catch (error) {
      if (asked === this.asked) this.askFault = (error as Error).message;
    }
    this.redraw();
  }

  setHow(change: Partial<MigrateDialog['how']>): void {
    Object.assign(this.how, change);
    this.refused = null;
    // Disks are copied beside the memory of a guest that runs, by QEMU itself: not through the tunnel.
    if (change.tunnelled === true || change.live === false) this.how.copyStorage = false;
    if (change.copyStorage === true) this.how.tunnelled = false;
    // Other checks hold for another way to move: their order may change with the reader's own click.
    if (change.maxDowntime === undefined) {
      this.order = [];
      void this.ask();
    }
    this.draw();
  }

  submit(event: Event): void {
    event.preventDefault();
    const maxDowntimeMs = downtimeOf(this.how.maxDowntime);
    if (!this.ready || maxDowntimeMs === null) return;
    const { tunnelled, copyStorage } = this.how;
    const request = {
      ...{ target: this.target, live: this.how.live, tunnelled, copyStorage },
      ...(maxDowntimeMs === undefined || !this.how.live ? {} : { maxDowntimeMs }),
    };
    void this.send(
      request,
      (opId) => this.deps.operations.migrate(String(this.options.instance.id), request, opId),
      (job) => {
        this.close();
        this.deps.go(`/jobs/${encodeURIComponent(job.id)}`);
      },
    );
  }

  override template(): TemplateResult {
    const { name, hostName } = this.options.instance.attributes;
    const { chosen } = this;
    return html`<form novalidate @submit=${(event: Event) => this.submit(event)}>
      ${this.headTemplate(`Migrate ${name} from ${hostName}`)}
      <div class="form-body">
        ${this.howTemplate()}
        ${this.askFault === null ? null : html`<p class="form-error" role="alert">The checks could not be made: ${visibleText(this.askFault)} Trying again.</p>`}
        <div class="move-columns">${this.targetsTemplate()}${chosen === null ? html`<div></div>` : checksTemplate(chosen)}</div>
      </div>
      <div class="form-end">${this.refusedTemplate()}
        <p class="sentence" aria-live="polite">${this.sentence(chosen)}</p>
        ${this.footTemplate(chosen === null ? 'Migrate' : `Migrate to ${chosen.targetName}`, this.ready)}</div></form>`;
  }

  targetsTemplate(): TemplateResult {
    if (this.answers === null)
      return html`<div class="move-targets"><p class="dim"><span class="spinner"></span> Asking every other host…</p></div>`;
    const choices = targetChoices(this.answers, this.order);
    if (choices.length === 0)
      return html`<div class="move-targets"><div class="empty empty-small"><h3>There is no other host</h3><p>Enrol a second one; then instances can move between them.</p>
        <a class="btn btn-quiet" href="#/hosts" @click=${() => this.close()}>To the hosts</a></div></div>`;
    const able = choices.filter(({ verdict }) => verdict !== 'bad').length;
    return html`<fieldset class="move-targets"><legend class="field-label">To <span class="dim">${able} of ${plural(choices.length, 'host')} can take it</span></legend>${choiceList(
      'target',
      'To',
      choices.map((one) => ({
        value: one.id,
        title: visibleText(one.name),
        note: html`<span class="verdict verdict-${one.verdict}">${icon(LOOKS[one.verdict])} ${one.words}</span>`,
        tone: one.verdict,
      })),
      this.target,
      (target) => {
        this.target = target;
        this.refused = null;
        this.draw();
      },
    )}</fieldset>`;
  }

  howTemplate(): TemplateResult {
    const { how } = this;
    const way = (
      isLive: boolean,
      label: string,
      title: string,
      off: boolean,
    ) => html`<button type="button" class="seg" role="radio" title=${title}
      ?disabled=${off} aria-checked=${how.live === isLive ? 'true' : 'false'} @click=${() => this.setHow({ live: isLive })}>${label}</button>`;
    const box = (
      key: 'tunnelled' | 'copyStorage',
      label: string,
      title: string,
      off = false,
    ) => html`<label class="check" title=${title}>
      <input type="checkbox" .checked=${live(how[key])} ?disabled=${off} @change=${(event: Event) => this.setHow({ [key]: (event.target as HTMLInputElement).checked })} /> ${label}</label>`;
    const fault = downtimeOf(how.maxDowntime) === null ? 'Whole milliseconds, 1 to 60000' : undefined;
    return html`<div class="move-how">
      <div class="segments" role="radiogroup" aria-label="Way">
        ${way(true, 'Live', 'The guest goes on working while its memory is copied', !this.running)}
        ${way(false, 'Cold', 'Only the definition moves; the guest must be off', this.running)}</div>
      ${box('tunnelled', 'Tunnelled', 'Through the encrypted connection of the two libvirts: slower, needs no other port')}
      ${box('copyStorage', 'Copy the disks', 'For disks that are not on shared storage: they are copied with the memory', !how.live)}
      ${
        how.live
          ? field(
              'move-downtime',
              'Downtime limit, ms',
              html`<input id="move-downtime" class="form-control" inputmode="numeric" autocomplete="off" placeholder="automatic" aria-describedby="move-downtime-note"
                .value=${live(how.maxDowntime)} @input=${(event: Event) => this.setHow({ maxDowntime: (event.target as HTMLInputElement).value })} />`,
              { fault },
            )
          : null
      }</div>`;
  }

  sentence(chosen: MigrationChecks | null): TemplateResult {
    const { name } = this.options.instance.attributes;
    if (chosen === null) return html`Choose where it goes.`;
    if (this.answeredWay !== this.way) return html`Asking the hosts about this way to move…`;
    const to = html`<b>${visibleText(chosen.targetName)}</b>`;
    if (!chosen.movable) return html`It cannot go to ${to} now: see what is in the way.`;
    const how = this.how.tunnelled ? ', through the tunnel of libvirt' : '';
    const what = this.how.copyStorage ? 'disks and the memory' : 'memory';
    return this.how.live
      ? html`Copies the ${what} of <b>${visibleText(name!)}</b> to ${to} while it runs${how}, then stops it for a moment and goes on there.`
      : html`Moves the definition of <b>${visibleText(name!)}</b> to ${to}${how}. It stays off.`;
  }
}

function checksTemplate(chosen: MigrationChecks): TemplateResult {
  return html`<div class="move-checks"><h3 class="field-label">Checks for ${visibleText(chosen.targetName)}</h3><ul class="checks">${orderedChecks(
    chosen.checks,
  ).map(({ check, verdict, text }) => {
    const [tone, word] = VERDICTS[verdict];
    return html`<li><span class="verdict verdict-${tone}">${icon(LOOKS[tone])} <b>${visibleText(checkName(check))}</b> <small>${word}</small></span><p>${visibleText(text)}</p></li>`;
  })}</ul></div>`;
}
