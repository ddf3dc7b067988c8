import type { Line } from '../../../common/model/line.ts';
import type { WayIn } from '../../../common/model/way-in.ts';
import type { Action } from '../../../common/model/words.ts';
import type { Compute } from './compute/compute.ts';
import type { Connection } from './connection.ts';
import type { Facets } from './facets.ts';
import type { HistogramSources } from './histogram-source.ts';
import type { JobTraces } from './job-traces.ts';
import type { LineSources } from './line-source.ts';
import type { LogParams } from './log-filter.ts';
import type { ImageRow, InstanceModel, Models } from './nouns.ts';
import type { Operations } from './operations.ts';
import type { Pending } from './pending.ts';
import type { RuleCalls } from './rules.ts';
import type { SampleHistory } from './sample-history.ts';
import type { SearchCalls } from './saved-searches.ts';
import type { SerialConsoles } from './serial-console.ts';
import type { StoredLines } from './stored-lines.ts';
import type { StreamLook } from './stream-look.ts';

export interface EnrolOffer {
  /** The one line to paste on the host. */
  command: string;
  expiresMs: number | null;
}

/** Lists that are kept in step only while somebody looks at them; closed with the view that asked. */
export interface Follows {
  /** Fills `models.ledger`. */
  ledger(): { close(): void };
  /** Tells what came in from outside by each way. */
  waysIn(take: (ways: WayIn[]) => void): { close(): void };
  /** Fills `models.images`. */
  images(): { close(): void };
  /** Fills the row of the host in `models.resources`. */
  resources(host: string): { close(): void };
}

/** Dialogs that several places open. Each is loaded when it is first wanted. */
export interface Dialogs {
  launch(preset?: { host?: string; base?: string }): void;
  migrate(instance: InstanceModel): void;
  removeInstance(instance: InstanceModel): void;
  registerImage(preset?: { host?: string }): void;
  forgetImage(image: ImageRow): void;
}

/** What a page may read and ask for. Pages never see sockets, fetch or the composition root. */
export interface PageDeps {
  models: Models;
  connection: Connection;
  pending: Pending;
  operations: Operations;
  follow: Follows;
  compute: Compute;
  dialogs: Dialogs;
  serial: SerialConsoles;
  rules: RuleCalls;
  traces: JobTraces;
  history: SampleHistory;
  lines: LineSources;
  histograms: HistogramSources;
  /** How streams look in this browser. */
  look: StreamLook;
  /** Counts of values of fields among the lines of a filter. */
  facets: (params: LogParams) => Facets;
  /** Keeps, changes and removes saved searches; they stand in `models.searches`. */
  searches: SearchCalls;
  /** Counts of stored lines, and times that are kept. */
  stored: StoredLines;
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
