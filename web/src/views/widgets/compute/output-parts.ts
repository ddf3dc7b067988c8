import { html, nothing, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { bytesText, countText, plural } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';
import type { CellOutput, OutputPart } from '../../../models/compute/cell-output.ts';

export interface OutputContext {
  /** The element of a result; the same one as long as it is shown. */
  figure: (part: Extract<OutputPart, { kind: 'data' }>) => HTMLElement;
  /** Whether the traceback of this part is unfolded. */
  isOpen: (part: OutputPart) => boolean;
  toggle: (part: OutputPart) => void;
  /** Fetches everything that was written, where a part of it is not held here. */
  saveAll: () => void;
}

/** Lines of a traceback that are shown without being asked for. */
const SHORT_TRACEBACK = 6;

/** What a cell has brought, in order. */
export function outputParts(output: CellOutput, context: OutputContext): TemplateResult {
  const parts = output.parts.map((part, index) => ({ part, index }));
  return html`${repeat(
    parts,
    ({ part }) => part.id,
    ({ part, index }) =>
      html`${index === output.gapIndex ? gap(output.hidden, context) : nothing}${one(part, context)}`,
  )}`;
}

function gap(hidden: number, context: OutputContext): TemplateResult {
  return html`<p class="out-note">${icon('warn')} ${plural(hidden, 'piece')} of output between are not shown here. ${saveButton(context)}</p>`;
}

function saveButton(context: OutputContext): TemplateResult {
  return html`<button type="button" class="btn btn-sm btn-quiet" @click=${context.saveAll}>${icon('download')} Save all of it</button>`;
}

function one(part: OutputPart, context: OutputContext): TemplateResult | HTMLElement {
  if (part.kind === 'data') return context.figure(part);
  if (part.kind === 'error') return failure(part, context);
  if (part.kind === 'skipped')
    return html`<p class="out-note">${icon('warn')} ${bytesText(part.bytes)} skipped: ${visibleText(part.reason)}</p>`;
  const { run, stream } = part;
  return html`<div class="out out-${stream}">
    ${stream === 'stderr' ? html`<span class="out-mark">stderr</span>` : nothing}
    <pre>${run.head}</pre>
    ${run.cut > 0 ? html`<p class="out-note">${icon('warn')} ${countText(run.cut)} characters skipped here. ${saveButton(context)}</p>` : nothing}
    ${run.end === '' ? nothing : html`<pre>${run.end}</pre>`}
  </div>`;
}

function failure(part: Extract<OutputPart, { kind: 'error' }>, context: OutputContext): TemplateResult {
  const lines = part.traceback.split('\n').length;
  // An interruption was asked for: nobody needs to read where it struck.
  const short = lines <= SHORT_TRACEBACK && part.name !== 'KeyboardInterrupt';
  const open = context.isOpen(part) !== short;
  return html`<div class="out out-error">
    <p class="out-error-head">${icon('warn')} <span><b>${visibleText(part.name)}</b>${part.message === '' ? '' : `: ${visibleText(part.message, { keepNewlines: true })}`}</span></p>
    <button type="button" class="btn btn-sm btn-quiet" aria-expanded=${open ? 'true' : 'false'} @click=${() => context.toggle(part)}>
      ${icon(open ? 'down' : 'chevron')} Traceback, ${plural(lines, 'line')}</button>
    ${open ? html`<pre>${visibleText(part.traceback, { keepNewlines: true })}</pre>` : nothing}
  </div>`;
}
