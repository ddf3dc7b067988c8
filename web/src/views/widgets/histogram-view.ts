import { LEVELS } from '../../../../common/model/words.ts';
import { clockText, countText, dayTimeText, plural } from '../../dom/format.ts';
import { token } from '../../dom/theme.ts';
import type { Histogram } from '../../models/histogram.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { View, type ViewOptions } from '../base/view.ts';

export interface HistogramViewOptions extends ViewOptions {
  histogram: Histogram;
  deps: Pick<PageDeps, 'onTheme'>;
  /** A range was chosen by dragging. */
  onSelect: (fromMs: number, toMs: number) => void;
}

const DAY_MS = 24 * 3_600_000;
const MIN_DRAG_PX = 4;
const BAR_MS = 200;

/** Lines over time by level, stacked with the worst at the bottom where it is seen; dragging chooses a range. */
export class HistogramView extends View<HistogramViewOptions> {
  declare canvas: HTMLCanvasElement;
  declare band: HTMLElement;
  declare tip: HTMLElement;
  declare labels: HTMLElement;
  declare dragFromPx: number | null;
  declare colours: Record<string, string>;
  declare waiting: ReturnType<typeof setTimeout> | null;
  declare size: { width: number; height: number };

  override preinitialize(options: HistogramViewOptions): void {
    super.preinitialize(options);
    this.className = 'histogram';
    this.dragFromPx = null;
    this.waiting = null;
    this.colours = {};
    this.size = { width: 0, height: 0 };
  }

  override initialize(): void {
    this.canvas = document.createElement('canvas');
    this.canvas.setAttribute('role', 'img');
    this.canvas.setAttribute('aria-label', 'Lines over time by level; drag to choose a time range');
    this.band = document.createElement('div');
    this.band.className = 'histogram-band';
    this.band.hidden = true;
    this.tip = document.createElement('div');
    this.tip.className = 'histogram-tip';
    this.tip.hidden = true;
    this.labels = document.createElement('div');
    this.labels.className = 'histogram-labels';
    this.labels.append(document.createElement('span'), document.createElement('span'), document.createElement('span'));
    this.el.append(this.canvas, this.band, this.tip, this.labels);
    this.readColours();
    this.cleanup(this.options.deps.onTheme(() => this.readColours()));
    this.listenTo(this.options.histogram, 'change', this.redrawSoon);
    const sizes = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      this.size = { width, height };
      this.redraw();
    });
    sizes.observe(this.canvas);
    this.cleanup(() => sizes.disconnect());
    this.canvas.addEventListener('pointerdown', (event) => this.onDown(event));
    this.canvas.addEventListener('pointermove', (event) => this.onMove(event));
    this.canvas.addEventListener('pointerup', (event) => this.onUp(event));
    this.canvas.addEventListener('pointercancel', () => this.endDrag());
    this.canvas.addEventListener('pointerleave', () => {
      this.tip.hidden = true;
    });
  }

  readColours(): void {
    for (const level of LEVELS) this.colours[level] = token(`wv-bar-${level}`);
    this.colours['base'] = token('wv-line');
    this.redraw();
  }

  /** Bars grow a few times a second, not with every batch of lines. */
  redrawSoon(): void {
    this.waiting ??= setTimeout(() => {
      this.waiting = null;
      this.redraw();
    }, BAR_MS);
  }

  override draw(): this {
    const { histogram } = this.options;
    const { width, height } = this.size;
    if (width === 0) return this;
    const scale = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * scale)) this.canvas.width = Math.round(width * scale);
    if (this.canvas.height !== Math.round(height * scale)) this.canvas.height = Math.round(height * scale);
    const ctx = this.canvas.getContext('2d')!;
    ctx.setTransform(scale, 0, 0, scale, 0, 0);
    ctx.clearRect(0, 0, width, height);
    const peak = Math.max(1, histogram.peak());
    const step = width / histogram.size;
    for (let index = 0; index < histogram.size; index += 1) {
      let y = height;
      for (const level of LEVELS) {
        const count = histogram.counts[level][index]!;
        if (count === 0) continue;
        // Even one error among thousands of lines must be seen: a level never gets less than a pixel and a half.
        const tall = Math.max(1.5, (count / peak) * (height - 4));
        ctx.fillStyle = this.colours[level]!;
        ctx.fillRect(index * step + 0.5, y - tall, Math.max(1, step - 1), tall);
        y -= tall;
      }
    }
    ctx.fillStyle = this.colours['base']!;
    ctx.fillRect(0, height - 1, width, 1);
    const wide = histogram.toMs - histogram.fromMs > DAY_MS;
    const text = (ms: number) => (wide ? dayTimeText(ms).slice(5, 16) : clockText(ms).slice(0, 8));
    const [from, peakText, to] = this.labels.children;
    from!.textContent = text(histogram.fromMs);
    peakText!.textContent = `peak ${countText(histogram.peak())} per ${spanOf(histogram.bucketMs)}`;
    to!.textContent = text(histogram.toMs);
    return this;
  }

  timeAt(px: number): number {
    const { histogram } = this.options;
    const share = Math.min(1, Math.max(0, px / this.size.width));
    return histogram.fromMs + share * (histogram.toMs - histogram.fromMs);
  }

  onDown(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.dragFromPx = event.offsetX;
    this.canvas.setPointerCapture(event.pointerId);
  }

  onMove(event: PointerEvent): void {
    const { histogram } = this.options;
    if (this.dragFromPx !== null) {
      const left = Math.max(0, Math.min(this.dragFromPx, event.offsetX));
      const right = Math.min(this.size.width, Math.max(this.dragFromPx, event.offsetX));
      this.band.hidden = false;
      this.band.style.left = `${left}px`;
      this.band.style.width = `${right - left}px`;
    }
    const index = Math.floor((event.offsetX / this.size.width) * histogram.size);
    if (index < 0 || index >= histogram.size) return;
    const parts = LEVELS.map((level) => [level, histogram.counts[level][index]!] as const).filter(([, n]) => n > 0);
    const detail = parts.map(([level, n]) => `${level} ${countText(n)}`).join('  ');
    this.tip.textContent = `${clockText(histogram.fromMs + index * histogram.bucketMs).slice(0, 8)}  ${plural(histogram.total(index), 'line')}${detail ? `: ${detail}` : ''}`;
    this.tip.hidden = false;
    this.tip.classList.toggle('is-right', event.offsetX > this.size.width / 2);
    this.tip.style.transform = `translateX(${event.offsetX}px)`;
  }

  onUp(event: PointerEvent): void {
    const from = this.dragFromPx;
    this.endDrag();
    if (from === null || Math.abs(event.offsetX - from) < MIN_DRAG_PX) return;
    const ends = [this.timeAt(from), this.timeAt(event.offsetX)].sort((a, b) => a - b) as [number, number];
    this.options.onSelect(Math.floor(ends[0]), Math.ceil(ends[1]));
  }

  endDrag(): void {
    this.dragFromPx = null;
    this.band.hidden = true;
  }
}

function spanOf(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Math.round(ms / 1_000)} s`;
  return ms < 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}
