import { LEVELS } from '../../../../common/model/words.ts';
import { clockText, countText, dayTimeText, plural } from '../../dom/format.ts';
import { token } from '../../dom/theme.ts';
import type { Histogram } from '../../models/histogram.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { View, type ViewOptions } from '../base/view.ts';
import { createHistogramLost, type HistogramLost } from './histogram-lost.ts';

export interface HistogramViewOptions extends ViewOptions {
  histogram: Histogram;
  deps: Pick<PageDeps, 'onTheme'>;
  /** A range was chosen by dragging, or by keys. */
  onSelect: (fromMs: number, toMs: number) => void;
  /** The moment that is now, for the moving edge of a live view; null where the range is of the past. */
  nowMs: (() => number) | null;
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
  declare lost: HistogramLost;
  declare dragFromPx: number | null;
  declare colours: Record<string, string>;
  declare waiting: ReturnType<typeof setTimeout> | null;
  declare size: { width: number; height: number };
  /** Buckets chosen by keys: where it began, and where it is. */
  declare keyed: { from: number; to: number } | null;

  override preinitialize(options: HistogramViewOptions): void {
    super.preinitialize(options);
    this.className = 'histogram';
    this.dragFromPx = null;
    this.waiting = null;
    this.colours = {};
    this.size = { width: 0, height: 0 };
    this.keyed = null;
  }

  override initialize(): void {
    this.canvas = document.createElement('canvas');
    this.canvas.setAttribute('role', 'img');
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute(
      'aria-label',
      'Lines over time by level. Drag to choose a time range, or use the arrow keys: with Shift they choose, Enter takes.',
    );
    this.band = document.createElement('div');
    this.band.className = 'histogram-band';
    this.band.hidden = true;
    this.tip = document.createElement('div');
    this.tip.className = 'histogram-tip';
    this.tip.hidden = true;
    this.labels = document.createElement('div');
    this.labels.className = 'histogram-labels';
    this.labels.append(document.createElement('span'), document.createElement('span'), document.createElement('span'));
    this.lost = createHistogramLost(this.options.histogram);
    this.el.append(this.canvas, this.band, this.tip, this.labels, this.lost.el);
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
    this.canvas.addEventListener('pointerleave', () => this.canvas.matches(':focus-visible') || this.endDrag());
    this.canvas.addEventListener('keydown', (event) => this.onKeyDown(event));
    this.canvas.addEventListener('blur', () => this.endDrag());
    if (this.options.nowMs !== null) this.every(1_000, () => this.redraw());
  }

  readColours(): void {
    for (const level of LEVELS) this.colours[level] = token(`wv-bar-${level}`);
    this.colours['base'] = token('wv-line');
    this.colours['edge'] = token('wv-accent');
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
    this.lost.draw(ctx, step);
    this.drawEdge(ctx, width, height);
    const [from, peakText, to] = this.labels.children;
    from!.textContent = this.timeText(histogram.fromMs);
    peakText!.textContent = `peak ${countText(histogram.peak())} per ${spanOf(histogram.bucketMs)}`;
    to!.textContent = this.timeText(histogram.toMs);
    return this;
  }

  /** Where a live view ends: what is right of it has not happened yet. */
  drawEdge(ctx: CanvasRenderingContext2D, width: number, height: number): void {
    const { histogram, nowMs } = this.options;
    if (nowMs === null) return;
    const x = ((nowMs() - histogram.fromMs) / (histogram.toMs - histogram.fromMs)) * width;
    ctx.fillStyle = this.colours['edge']!;
    ctx.fillRect(Math.min(width - 1.5, Math.round(x)), 0, 1.5, height);
  }

  /** A time on the axis: with its day where the axis is longer than one. */
  timeText(ms: number): string {
    const { fromMs, toMs } = this.options.histogram;
    return toMs - fromMs > DAY_MS ? dayTimeText(ms).slice(5, 16) : clockText(ms).slice(0, 8);
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
    this.tell(Math.floor((event.offsetX / this.size.width) * histogram.size), event.offsetX);
  }

  /** Says what stands in a bucket, beside it. */
  tell(index: number, px: number): void {
    const { histogram } = this.options;
    if (index < 0 || index >= histogram.size) return;
    const parts = LEVELS.map((level) => [level, histogram.counts[level][index]!] as const).filter(([, n]) => n > 0);
    const detail = parts.map(([level, n]) => `${level} ${countText(n)}`).join('  ');
    this.tip.textContent = `${this.timeText(histogram.fromMs + index * histogram.bucketMs)}  ${plural(histogram.total(index), 'line')}${detail ? `: ${detail}` : ''}${this.lost.textAt(index)}`;
    this.tip.hidden = false;
    const left = Math.min(
      Math.max(0, px - this.tip.offsetWidth / 2),
      Math.max(0, this.size.width - this.tip.offsetWidth),
    );
    this.tip.style.transform = `translateX(${left}px)`;
  }

  /** Arrows move over the bars, with Shift they choose a range, Enter takes it, Escape lets go. */
  onKeyDown(event: KeyboardEvent): void {
    const { histogram } = this.options;
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (step !== undefined) {
      const at = this.keyed ?? { from: histogram.size - 1, to: histogram.size - 1 };
      const to = Math.min(histogram.size - 1, Math.max(0, at.to + (this.keyed === null ? 0 : step)));
      this.keyed = { from: event.shiftKey ? at.from : to, to };
      this.showKeyed();
    } else if (event.key === 'Enter' && this.keyed !== null) this.take();
    else if (event.key === 'Escape' && this.keyed !== null) this.endDrag();
    else return;
    event.preventDefault();
  }

  showKeyed(): void {
    const { histogram } = this.options;
    const [first, last] = [Math.min(this.keyed!.from, this.keyed!.to), Math.max(this.keyed!.from, this.keyed!.to)];
    const step = this.size.width / histogram.size;
    this.band.hidden = false;
    this.band.style.left = `${first * step}px`;
    this.band.style.width = `${(last - first + 1) * step}px`;
    this.tell(this.keyed!.to, (this.keyed!.to + 0.5) * step);
  }

  take(): void {
    const { histogram, onSelect } = this.options;
    const { from, to } = this.keyed!;
    this.endDrag();
    const at = (index: number) => Math.floor(histogram.fromMs + index * histogram.bucketMs);
    onSelect(at(Math.min(from, to)), at(Math.max(from, to) + 1));
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
    this.keyed = null;
    this.tip.hidden = true;
    this.band.hidden = true;
  }
}

function spanOf(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Math.round(ms / 1_000)} s`;
  return ms < 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}
