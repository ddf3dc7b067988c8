import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { icon } from '../../../dom/icons.ts';
import { errorHint } from '../../../models/error-hints.ts';
import type { PageDeps } from '../../../models/page-deps.ts';
import { DialogView } from '../../base/dialog.ts';
import type { ViewOptions } from '../../base/view.ts';

export interface OpDialogOptions extends ViewOptions {
  deps: PageDeps;
}

export interface OpFault {
  code: string;
  message: string;
}

/** A dialog that sends one operation: once for a double click, and with what was refused told where it belongs. */
export abstract class OpDialog<O extends OpDialogOptions = OpDialogOptions> extends DialogView<O> {
  declare sending: boolean;
  declare refused: OpFault | null;
  /** The job that the dialog waits for, where it stays open until the outcome. */
  declare jobId: string | null;
  declare opId: string;
  declare sentText: string | null;

  override preinitialize(options: O): void {
    super.preinitialize(options);
    this.sending = false;
    this.refused = null;
    this.jobId = null;
    this.opId = options.deps.operations.newOpId();
    this.sentText = null;
  }

  get deps(): PageDeps {
    return this.options.deps;
  }

  override closesOutside(): boolean {
    return false;
  }

  /**
   * Sends and hands on the answer. The same request keeps its id, however often it is sent: the manager finds the same
   * job. A changed one is a new operation.
   */
  async send<T>(request: unknown, call: (opId: string) => Promise<T>, done: (answer: T) => void): Promise<void> {
    if (this.sending) return;
    const text = JSON.stringify(request);
    if (this.sentText !== null && this.sentText !== text) this.opId = this.deps.operations.newOpId();
    this.sentText = text;
    this.sending = true;
    this.refused = null;
    this.draw();
    try {
      const answer = await call(this.opId);
      if (!this.destroyed) done(answer);
    } catch (error) {
      const { code = 'internal', message } = error as { code?: string; message: string };
      this.refused = { code, message };
    }
    this.sending = false;
    this.redraw();
  }

  /** Stays open until the job has ended: closes when it is done, tells why when it is not. */
  awaitJob(id: string, done: () => void): void {
    this.jobId = id;
    const look = () => {
      const job = this.deps.models.jobs.get(id);
      if (this.jobId !== id || !job?.ended()) return;
      this.jobId = null;
      if (job.get('state') === 'done') {
        done();
        return;
      }
      // Tried again, it is a new operation: the job of this one has ended.
      this.opId = this.deps.operations.newOpId();
      this.refused = job.get('error') ?? { code: 'internal', message: `The job ended as ${job.get('state')}.` };
      this.redraw();
    };
    this.listenTo(this.deps.models.jobs, 'add change:state', look);
    look();
  }

  get busy(): boolean {
    return this.sending || this.jobId !== null;
  }

  headTemplate(title: string): TemplateResult {
    return html`<header><h2 id="dialog-title">${visibleText(title)}</h2>
      <button type="button" class="btn btn-icon" aria-label="Close" @click=${() => this.close()}>${icon('close')}</button></header>`;
  }

  /** What was refused and belongs to no field. */
  refusedTemplate(): TemplateResult | null {
    if (this.refused === null) return null;
    const { code, message } = this.refused;
    return html`<p class="form-error op-refused" role="alert"><b>${visibleText(message)}</b> ${errorHint(code) ?? ''}</p>`;
  }

  footTemplate(label: string, ready: boolean, { danger = false, cancel = 'Cancel' } = {}): TemplateResult {
    return html`<footer><button type="button" class="btn btn-quiet" @click=${() => this.close()}>${cancel}</button>
      <button type="submit" class="btn ${danger ? 'btn-danger' : 'btn-accent'}" ?disabled=${!ready || this.busy} data-submit>${this.busy ? html`<span class="spinner" aria-hidden="true"></span>` : null}${visibleText(label)}</button></footer>`;
  }
}

/** A labelled field with its note: what is wrong with it, else what helps. The note keeps its line, so nothing jumps. */
export function field(
  id: string,
  label: string,
  control: TemplateResult,
  { fault, hint }: { fault?: string | undefined; hint?: string | TemplateResult | undefined } = {},
): TemplateResult {
  return html`<div class="field ${fault ? 'is-bad' : ''}"><label class="field-label" for=${id}>${label}</label>${control}
    <p class="field-note" id="${id}-note" aria-live="polite">${fault ? html`${icon('warn')} ${visibleText(fault)}` : (hint ?? '')}</p></div>`;
}
