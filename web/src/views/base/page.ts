import type { Line } from '../../../../common/model/line.ts';
import type { Action } from '../../../../common/model/words.ts';
import type { Connection } from '../../models/connection.ts';
import type { InstanceModel, Models } from '../../models/nouns.ts';
import type { Pending } from '../../models/pending.ts';
import type { SampleHistory } from '../../models/sample-history.ts';
import type { EnrolOffer } from '../../net/actions.ts';
import type { HistogramSources } from '../../net/histogram-source.ts';
import type { LineSources } from '../../net/line-source.ts';
import { View, type ViewOptions } from './view.ts';

/** What a page may read and ask for. Pages never see sockets, fetch or the composition root. */
export interface PageDeps {
  models: Models;
  connection: Connection;
  pending: Pending;
  history: SampleHistory;
  lines: LineSources;
  histograms: HistogramSources;
  /** Manager's clock, milliseconds. */
  nowMs: () => number;
  /** Goes to a place of the console (`/live?q=…`, without `#`). `replace` leaves no step in the history. */
  go: (place: string, replace?: boolean) => void;
  /** Asks where needed (destructive actions), then sends. */
  act: (instances: readonly InstanceModel[], action: Action) => void;
  cancelJob: (id: string) => void;
  enrol: (candidateId: string) => Promise<EnrolOffer>;
  scan: (range: string, kind: string) => Promise<void>;
  copy: (text: string, what: string) => void;
  openJobs: () => void;
  /** Colours changed: canvases draw again. Returns how to stop. */
  onTheme: (handler: () => void) => () => void;
  /** One line with those around it, oldest first. */
  context: (id: string, sameHost: boolean) => Promise<Line[]>;
  curve: (kind: 'host' | 'instance', id: string, fromMs: number) => Promise<void>;
}

export interface PageOptions extends ViewOptions {
  deps: PageDeps;
  /** Part of the address behind `?`. */
  query: string;
  /** Id in the address, where the page is of one thing. */
  id: string;
}

/** A page: fills the main area, has a title, takes keys that nobody else wanted. */
export abstract class Page extends View<PageOptions> {
  declare deps: PageDeps;
  declare query: string;
  declare subject: string;

  override preinitialize(options: PageOptions): void {
    super.preinitialize(options);
    this.deps = options.deps;
    this.query = options.query;
    this.subject = options.id;
    this.tagName = 'section';
    this.className = 'page';
  }

  /** Title of the window. */
  abstract title(): string;

  /** The query of the address changed while the page stays: true when the page takes it without being rebuilt. */
  updateQuery(_query: string): boolean {
    return false;
  }

  /** A key that was pressed outside of any field; true when it was used. */
  onKey(_key: string): boolean {
    return false;
  }

  /** `/` was pressed: the page's search field, if it has one. */
  searchField(): HTMLInputElement | null {
    return this.el.querySelector<HTMLInputElement>('input[type="search"]');
  }
}
