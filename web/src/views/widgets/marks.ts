import { html, svg, type TemplateResult } from 'lit-html';
import { percentText } from '../../dom/format.ts';

/** A state as a shape and a word: full, half, hollow and crossed shapes are told apart without colour. */
const SHAPES: Record<string, TemplateResult> = {
  good: svg`<circle cx="6" cy="6" r="4.500" fill="currentColor"/>`,
  part: svg`<circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="1.600"/><path d="M6 2a4 4 0 0 1 0 8z" fill="currentColor"/>`,
  off: svg`<rect x="2.200" y="2.200" width="7.600" height="7.600" rx="1.500" fill="none" stroke="currentColor" stroke-width="1.600"/>`,
  bad: svg`<path d="M6 .8 11.400 10.800H.6z" fill="currentColor"/>`,
  pause: svg`<path d="M3.200 2v8M8.800 2v8" stroke="currentColor" stroke-width="2.400"/>`,
  lost: svg`<path d="M2.500 2.500l7 7M9.500 2.500l-7 7" stroke="currentColor" stroke-width="2"/>`,
  busy: svg`<circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="1.800" stroke-dasharray="6 4"/>`,
};

const LOOKS: Record<string, [shape: string, tone: string]> = {
  running: ['good', 'good'],
  paused: ['pause', 'warn'],
  shutoff: ['off', 'quiet'],
  saved: ['part', 'info'],
  crashed: ['bad', 'bad'],
  'shutting-down': ['part', 'warn'],
  unknown: ['lost', 'warn'],
  online: ['good', 'good'],
  stale: ['part', 'warn'],
  lost: ['lost', 'bad'],
  conflict: ['bad', 'bad'],
  planned: ['off', 'quiet'],
  'job-running': ['busy', 'accent'],
  done: ['good', 'good'],
  failed: ['bad', 'bad'],
  cancelled: ['off', 'quiet'],
  idle: ['off', 'info'],
  busy: ['busy', 'accent'],
  starting: ['busy', 'accent'],
  dead: ['lost', 'quiet'],
  ready: ['good', 'good'],
  refused: ['bad', 'bad'],
  absent: ['off', 'quiet'],
};

/** Shape and word of a state of an instance, a host or a job. `look` names the look where words are ambiguous. */
export function stateMark(state: string, word: string | null = state, look = state): TemplateResult {
  const [shape, tone] = LOOKS[look] ?? ['lost', 'quiet'];
  return html`<span class="state tone-${tone}" title=${state}>
    <svg class="shape shape-${shape}" viewBox="0 0 12 12" aria-hidden="true">${SHAPES[shape!]}</svg>
    ${word === null ? html`<span class="visually-hidden">${state}</span>` : html`<span>${word}</span>`}
  </span>`;
}

/** A bar of a ratio with its number. Drawn with SVG attributes: the policy allows no style attribute. */
export function meter(ratio: number | null, label: string, text: string | null = null): TemplateResult {
  if (ratio === null) return html`<span class="meter is-empty" title="${label}: not known">–</span>`;
  const shown = Math.min(1, Math.max(0, ratio));
  const tone = shown > 0.92 ? 'bad' : shown > 0.8 ? 'warn' : 'fine';
  const written = text ?? percentText(ratio);
  return html`<span class="meter meter-${tone}" role="meter" aria-label=${label} aria-valuenow=${Math.round(shown * 100)}
    aria-valuemin="0" aria-valuemax="100" title="${label}: ${written}">
    <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect class="meter-back" width="100" height="6" rx="0" /><rect class="meter-bar" width=${shown * 100} height="6" />
    </svg><span class="meter-text">${written}</span>
  </span>`;
}
