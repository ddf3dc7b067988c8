import type { Line } from '../../../common/model/line.ts';
import type { Action } from '../../../common/model/words.ts';
import type { Connection } from './connection.ts';
import type { HistogramSources } from './histogram-source.ts';
import type { LineSources } from './line-source.ts';
import type { InstanceModel, Models } from './nouns.ts';
import type { Pending } from './pending.ts';
import type { SampleHistory } from './sample-history.ts';

export interface EnrolOffer {
  /** The one line to paste on the host. */
  command: string;
  expiresMs: number | null;
}

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
