import { render, type TemplateResult } from 'lit-html';
import type { LineWindow } from '../../../models/line-window.ts';

export interface StreamEnds {
  draw(): void;
  /** Where the upper end stands in the scrolled element. */
  place(topPx: number): void;
  /** Asks for older lines, one request at a time; does nothing when there are none. */
  older(): Promise<void>;
  /** There may be older lines again: the stream was emptied. */
  reset(): void;
}

export interface StreamEndsDeps {
  window: LineWindow;
  head: HTMLElement;
  empty: HTMLElement;
  loadOlder: (() => Promise<void>) | null;
  emptyText: () => TemplateResult;
  onOlder: () => void;
}

const TEXTS = { idle: 'Load older lines', loading: 'Loading older lines…', end: 'No older lines match' };

/** The upper end of a stream (older lines) and what stands there when it has no line. */
export function createStreamEnds(deps: StreamEndsDeps): StreamEnds {
  const { window, head, empty } = deps;
  const initial = deps.loadOlder === null ? 'end' : 'idle';
  let state: keyof typeof TEXTS = initial;

  function draw(): void {
    const none = window.ring.length === 0;
    head.hidden = none;
    head.textContent = TEXTS[state];
    head.classList.toggle('is-end', state !== 'idle');
    empty.hidden = !none || !window.ready || window.error !== null;
    if (!empty.hidden) render(deps.emptyText(), empty);
  }

  let atPx = 0;
  return {
    draw,
    place(topPx) {
      const px = Math.round(topPx);
      if (px === atPx) return;
      atPx = px;
      head.style.transform = `translateY(${px}px)`;
    },
    async older() {
      if (state !== 'idle' || deps.loadOlder === null) return;
      deps.onOlder();
      state = 'loading';
      draw();
      const before = window.ring.first;
      try {
        await deps.loadOlder();
      } finally {
        state = window.ring.first < before ? 'idle' : 'end';
        draw();
      }
    },
    reset() {
      state = initial;
    },
  };
}
