import type uPlot from 'uplot';
import { clockText } from '../../dom/format.ts';
import { token } from '../../dom/theme.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import type { Curve } from '../../models/sample-history.ts';
import { View, type ViewOptions } from '../base/view.ts';

export interface ChartOptions extends ViewOptions {
  title: string;
  deps: Pick<PageDeps, 'onTheme'>;
  /** Times (ms) and values, read at every drawing. */
  read: () => { tsMs: number[]; values: number[] };
  format: (value: number) => string;
  /** Value at the top of the axis; null: as high as the curve. */
  max: () => number | null;
  colour: string;
  /** Steps that the ticks of the value axis may take. */
  steps: number[];
}

const HEIGHT_PX = 150;
/** Ticks of a shorter span show seconds as well. */
const SECONDS_BELOW_S = 300;
/** And of a shorter one tenths of them: else several ticks would say the same. */
const TENTHS_BELOW_S = 5;

export const RATIO_STEPS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5];
/** Powers of two from 1 KiB: `256 MiB`, not `268 MB`. */
export const BYTE_STEPS = Array.from({ length: 34 }, (_, power) => 2 ** (10 + power));

/** One curve over time. The plot library is loaded when the first chart is shown. */
export class Chart extends View<ChartOptions> {
  declare plot: uPlot | null;
  declare body: HTMLElement;
  declare library: typeof uPlot | null;

  override preinitialize(options: ChartOptions): void {
    super.preinitialize(options);
    this.tagName = 'figure';
    this.className = 'chart';
    this.plot = null;
    this.library = null;
  }

  override initialize(): void {
    const caption = document.createElement('figcaption');
    caption.textContent = this.options.title;
    this.body = document.createElement('div');
    this.body.className = 'chart-body';
    this.el.append(caption, this.body);
    const sizes = new ResizeObserver(() => this.plot?.setSize({ width: this.body.clientWidth, height: HEIGHT_PX }));
    sizes.observe(this.body);
    this.cleanup(() => sizes.disconnect());
    this.cleanup(() => this.plot?.destroy());
    this.cleanup(this.options.deps.onTheme(() => this.rebuild()));
    void this.load();
  }

  async load(): Promise<void> {
    const parts = Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]);
    // Whatever a browser says when a part of the program cannot be fetched, it means the same.
    const loaded = await parts.catch(() => null);
    if (this.destroyed) return;
    if (loaded === null) {
      this.body.classList.add('dim');
      this.body.textContent = 'The curve could not be loaded: the manager may have been updated. Reload the page.';
      return;
    }
    this.library = loaded[0].default;
    this.rebuild();
  }

  data(): [number[], number[]] {
    const { tsMs, values } = this.options.read();
    return [tsMs.map((ms) => ms / 1_000), values];
  }

  rebuild(): void {
    if (this.library === null) return;
    this.plot?.destroy();
    const axis = {
      stroke: token('wv-dim'),
      grid: { stroke: token('wv-line'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui',
    };
    const { format } = this.options;
    const colour = token(this.options.colour);
    this.plot = new this.library(
      {
        width: this.body.clientWidth,
        height: HEIGHT_PX,
        legend: { show: false },
        cursor: { y: false },
        scales: { y: { range: (_plot, _low, high) => [0, this.options.max() ?? Math.max(high * 1.1, 1e-6)] } },
        axes: [
          {
            ...axis,
            size: 24,
            // A tick needs room for its time to the tenth of a second.
            space: 86,
            values: (_plot, ticks) => {
              const spanS = (ticks.at(-1) ?? 0) - (ticks[0] ?? 0);
              const chars = spanS < TENTHS_BELOW_S ? 10 : spanS < SECONDS_BELOW_S ? 8 : 5;
              return ticks.map((s) => clockText(s * 1_000).slice(0, chars));
            },
          },
          { ...axis, size: 62, incrs: this.options.steps, values: (_plot, ticks) => ticks.map(format) },
        ],
        series: [{}, { stroke: colour, fill: `${colour}22`, width: 1.5, points: { show: false } }],
      },
      this.data(),
      this.body,
    );
  }

  override draw(): this {
    this.plot?.setData(this.data());
    return this;
  }
}

/** What a chart needs of a curve. */
export function column(curve: Curve, key: 'cpuRatio' | 'memoryUsedBytes'): { tsMs: number[]; values: number[] } {
  return { tsMs: curve.tsMs, values: curve[key] };
}
