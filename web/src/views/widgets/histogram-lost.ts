import { token } from '../../dom/theme.ts';
import type { Histogram } from '../../models/histogram.ts';
import { unreadableText } from './unreadable-text.ts';

/** What a histogram says of lines that cannot be read: a dashed line above their times, and words below the bars. */
export interface HistogramLost {
  el: HTMLElement;
  /** `stepPx`: width of a bucket. */
  draw(ctx: CanvasRenderingContext2D, stepPx: number): void;
  /** Words behind the counts of a bucket; empty where all can be read. */
  textAt(index: number): string;
}

export function createHistogramLost(histogram: Histogram): HistogramLost {
  const el = document.createElement('div');
  el.className = 'histogram-lost';
  el.setAttribute('role', 'status');
  el.hidden = true;
  const isLost = (index: number) => histogram.unreadableAt(index).length > 0;
  return {
    el,
    draw(ctx, stepPx) {
      const text = unreadableText(histogram.unreadable);
      if (el.textContent !== text) el.textContent = text;
      el.hidden = text === '';
      if (text === '') return;
      ctx.fillStyle = token('wv-warn');
      for (let index = 0; index < histogram.size; index += 1)
        if (isLost(index)) ctx.fillRect(index * stepPx + 0.5, 0, Math.max(1, stepPx * 0.6), 2);
    },
    textAt: (index) => (isLost(index) ? '  some cannot be read' : ''),
  };
}
