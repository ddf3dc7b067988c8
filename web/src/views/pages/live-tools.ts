import { fieldNames } from '../../models/line-fields.ts';
import { isMarker } from '../../models/line-ring.ts';
import { formatLogParams } from '../../models/log-filter.ts';
import type { DialogView } from '../base/dialog.ts';
import type { LivePage } from './live-page.ts';

type Kinds = typeof import('../widgets/stream/stream-tools.ts');

/** What the live page can do beside its stream: by the buttons of the filter bar, and by keys. */
export interface LiveTools {
  /** Runs a tool by its name; names that are none are ignored. */
  run(name: string): void;
  onKey(key: string): boolean;
  /** The code of the dialogs and the second stream; null when it could not be loaded. */
  load(): Promise<Kinds | null>;
}

const KEYS: Record<string, string> = {
  f: 'facets',
  s: 'searches',
  J: 'jump',
  '|': 'split',
  v: 'view',
  Y: 'link',
  e: 'export',
  b: 'bars',
  F: 'fleet',
  K: 'keeps',
  L: 'live',
};
const SAMPLE_LINES = 300;

export function createLiveTools(page: LivePage): LiveTools {
  const { deps } = page;
  let loading: Promise<Kinds | null> | null = null;

  function load(): Promise<Kinds | null> {
    loading ??= import('../widgets/stream/stream-tools.ts').catch(() => {
      // The next try asks again: the manager may have been away for a moment.
      loading = null;
      return null;
    });
    return loading;
  }

  async function open(make: (kinds: Kinds) => DialogView): Promise<void> {
    const kinds = await load();
    if (kinds !== null && !page.destroyed && document.querySelector('dialog[open]') === null) make(kinds).open();
  }

  /** Names of fields in what is on the screen. */
  function fields(): string[] {
    const { ring } = page.panel.options.source.window;
    const lines = [];
    for (let n = Math.max(ring.first, ring.end - SAMPLE_LINES); n < ring.end; n += 1) {
      const row = ring.at(n)!;
      if (!isMarker(row)) lines.push(row);
    }
    return fieldNames(lines);
  }

  function copyLink(): void {
    const query = formatLogParams({ ...page.params, ...deps.look.words() });
    deps.copy(`${location.origin}${location.pathname}#/live?${query}`, 'Link');
  }

  /** A moment that is here is shown; another one becomes the end of a stored range. */
  function jump(tsMs: number): void {
    const { stream, options } = page.panel;
    const oldest = options.source.window.oldestLine();
    const { fromMs, toMs } = page.params;
    const inside = (fromMs === undefined || tsMs >= fromMs) && (toMs === undefined || tsMs <= toMs);
    const held = inside && oldest !== null && tsMs >= oldest.tsMs && tsMs <= deps.nowMs();
    if (held && stream.showTime(tsMs, 0.4)) return;
    const { fromMs: _, ...rest } = page.params;
    page.go({ ...rest, toMs: tsMs + 1_000, atMs: tsMs });
  }

  const tools: Record<string, () => void> = {
    facets() {
      deps.look.set({ facets: page.facets === null });
    },
    fleet() {
      deps.look.set({ fleet: !deps.look.state.fleet });
    },
    searches: () => void open((kinds) => new kinds.SearchesDialog({ parent: page, deps, params: page.params })),
    jump: () => void open((kinds) => new kinds.JumpDialog({ parent: page, nowMs: deps.nowMs, onJump: jump })),
    view: () => void open((kinds) => new kinds.ViewMenu({ parent: page, look: deps.look, fields: fields() })),
    split() {
      const { beside, ...rest } = page.params;
      page.go(beside === undefined ? { ...rest, beside: 'level=warn' } : rest);
    },
    link: copyLink,
    export: () => void open((kinds) => new kinds.ExportDialog({ parent: page, deps, params: page.params })),
    keeps: () => void open((kinds) => new kinds.KeepsDialog({ parent: page, deps, params: page.params })),
    bars: () => page.histogram.canvas.focus(),
    live() {
      const { fromMs: _from, toMs: _to, atMs: _at, ...rest } = page.params;
      page.go(rest);
    },
  };

  return {
    load,
    run: (name) => tools[name]?.(),
    onKey(key) {
      const tool = KEYS[key];
      if (tool === undefined) return false;
      tools[tool]!();
      return true;
    },
  };
}
