import { html, render } from 'lit-html';
import type { MimeBundle } from '../../../../../common/model/compute.ts';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { icon } from '../../../dom/icons.ts';
import { type Shown, shownOf } from '../../../models/compute/mime.ts';
import { readDrawing } from './drawing.ts';
import { LONGEST_LATEX, setLatex } from './latex.ts';
import { drawPicture, readPng, saveFile } from './picture.ts';
import { pictureAllowed } from './picture-policy.ts';

export interface FigureContext {
  /** For names of files and for screen readers: `Cell 3`. */
  label: string;
  typeset: boolean;
  copy: (text: string, what: string) => void;
}

const long = (text: string) => visibleText(text, { keepNewlines: true });

/** The element of a result. What a computation made is never markup here: pictures are drawn, everything else is text. */
export function resultFigure(data: MimeBundle, role: 'result' | 'display', context: FigureContext): HTMLElement {
  const figure = document.createElement('div');
  figure.className = `out out-${role}`;
  // Shown by the code itself, LaTeX was asked for.
  const shown = shownOf(data, context.typeset || role === 'display');
  if (shown.as === 'png') png(figure, shown, context);
  else if (shown.as === 'svg') svg(figure, shown, context);
  else if (shown.as === 'latex') latex(figure, shown, context);
  else if (shown.as === 'text') words(figure, shown.text, context);
  else if (shown.as === 'html') source(figure, shown.source, 'HTML', context);
  else
    render(
      html`<p class="dim">A result of a kind that cannot be shown: ${visibleText(shown.types.join(', '))}</p>`,
      figure,
    );
  return figure;
}

function words(figure: HTMLElement, text: string, { copy }: FigureContext): void {
  const many = text.length > 100_000;
  render(
    html`<pre class="out-value">${long(many ? text.slice(0, 100_000) : text)}</pre>
      ${many ? html`<p class="out-note">Only the first 100,000 of ${text.length} characters are shown; Copy takes all.</p>` : null}
      <div class="out-tools"><button type="button" class="btn btn-icon btn-sm" title="Copy the value" aria-label="Copy the value" @click=${() => copy(text, 'Value')}>${icon('copy')}</button></div>`,
    figure,
  );
}

function png(figure: HTMLElement, { base64, text }: Extract<Shown, { as: 'png' }>, { label }: FigureContext): void {
  const picture = readPng(base64);
  const canvas = document.createElement('canvas');
  canvas.className = 'out-picture';
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `Picture of ${label}${text ? `: ${visibleText(text.slice(0, 200))}` : ''}`);
  const unreadable = (words: string) => render(html`<p class="out-note">${words}</p>`, figure);
  if (typeof picture === 'string') {
    unreadable(picture);
    return;
  }
  const save = () => saveFile(`${label.toLowerCase().replaceAll(' ', '-')}.png`, picture.blob);
  render(
    html`${canvas}<div class="out-tools"><button type="button" class="btn btn-icon btn-sm" title="Save the picture" aria-label="Save the picture" @click=${save}>${icon('download')}</button></div>`,
    figure,
  );
  drawPicture(canvas, picture).catch(() => unreadable('This picture cannot be read.'));
}

function svg(figure: HTMLElement, shown: Extract<Shown, { as: 'svg' }>, context: FigureContext): void {
  source(figure, shown.source, 'SVG', context);
  void pictureAllowed('blob:').then((allowed) => {
    const blob = allowed ? readDrawing(shown.source) : null;
    if (blob === null) return;
    const image = document.createElement('img');
    image.className = 'out-picture';
    image.alt = `Drawing of ${context.label}`;
    const forget = () => URL.revokeObjectURL(image.src);
    image.addEventListener('error', () => {
      forget();
      // Not a drawing after all: its source says more than the sign of a broken image.
      source(figure, shown.source, 'SVG', context);
    });
    image.addEventListener('load', forget);
    // In an <img> a drawing runs no script and loads nothing.
    image.src = URL.createObjectURL(blob);
    const save = () => saveFile(`${context.label.toLowerCase().replaceAll(' ', '-')}.svg`, blob);
    render(
      html`${image}<div class="out-tools"><button type="button" class="btn btn-icon btn-sm" title="Save the drawing" aria-label="Save the drawing" @click=${save}>${icon('download')}</button></div>`,
      figure,
    );
  });
}

function latex(figure: HTMLElement, shown: Extract<Shown, { as: 'latex' }>, context: FigureContext): void {
  if (shown.source.length > LONGEST_LATEX) {
    words(figure, shown.text ?? shown.source, context);
    return;
  }
  const formula = document.createElement('div');
  formula.className = 'out-latex';
  render(
    html`${formula}<div class="out-tools">
      <button type="button" class="btn btn-sm btn-quiet" @click=${() => context.copy(shown.source, 'LaTeX')}>${icon('copy')} LaTeX</button></div>`,
    figure,
  );
  void setLatex(formula, shown.source);
}

/** Markup of a computation as its source, folded. */
function source(figure: HTMLElement, text: string, kind: 'HTML' | 'SVG', context: FigureContext, open = false): void {
  const why =
    kind === 'HTML' ? 'HTML is not drawn here: it is shown as its source.' : 'A drawing (SVG), as its source.';
  render(
    html`<p class="out-note">${why}
        <button type="button" class="btn btn-sm btn-quiet" aria-expanded=${open ? 'true' : 'false'}
          @click=${() => source(figure, text, kind, context, !open)}>${icon(open ? 'down' : 'chevron')} Source</button>
        <button type="button" class="btn btn-sm btn-quiet" @click=${() => context.copy(text, kind)}>${icon('copy')} Copy</button></p>
      ${open ? html`<pre class="out-value">${long(text.slice(0, 100_000))}</pre>` : null}`,
    figure,
  );
}
