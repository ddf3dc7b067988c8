import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Line, NewLine } from '../../common/model/line.ts';
import { queryOf } from '../../common/pure/query/filter.ts';
import { compileMatcher } from '../../common/pure/query/match.ts';
import { re2Engine } from '../../common/pure/query/re2-engine.ts';
import { ColumnBuilder } from '../../common/wire/frames.ts';
import type { Bus } from '../bus/bus.ts';
import type { CommittedBatch, LineFilter } from '../store/ports.ts';
import { rowOfLine } from './line-row.ts';
import type { AlertLines, ColumnReader } from './ports.ts';

/** How the tests read a batch: clocks are right, a gap does not occur. */
export const reader: ColumnReader = {
  columnsOf: (batch) => batch.columns!,
  sortMsOf: (tsMs, batch) => Math.min(tsMs, batch.receivedMs),
};

export interface Written extends Partial<NewLine> {
  host?: string;
  agent?: string;
}

/** Lines in memory that are committed and told as the true store and intake do it. */
export function createLines(bus: Bus) {
  const kept: { ordinal: number; line: Line }[] = [];
  let broken = false;
  let held: Promise<void> = Promise.resolve();
  const matching = (filter: LineFilter) => {
    if (broken) throw new Error('the store is away');
    const matches = compileMatcher(queryOf(filter), re2Engine);
    return kept.filter(({ line }) => matches(rowOfLine(line)));
  };
  const lines: AlertLines = {
    newestOrdinal: () => kept.at(-1)?.ordinal ?? 0,
    since: async (filter, ordinal, limit) => {
      await held;
      const found = matching(filter).filter((one) => one.ordinal > ordinal);
      const page = found.slice(0, limit);
      const newest = lines.newestOrdinal();
      const lastOrdinal = page.length === limit ? page.at(-1)!.ordinal : Math.max(ordinal, newest);
      return { lines: page.map(({ line }) => line), lastOrdinal };
    },
    search: async (filter, { limit, onFound }) => {
      const { fromMs = 0, toMs = Infinity } = filter;
      const found = matching(filter)
        .map(({ line }) => line)
        .filter((line) => line.tsMs >= fromMs && line.tsMs < toMs)
        .sort((a, b) => b.tsMs - a.tsMs);
      onFound?.(found.slice(0, limit));
      return { lines: found.slice(0, limit), next: found.length > limit ? 'more' : null, searchedBackToMs: null };
    },
  };
  return {
    lines,
    all: () => kept.map(({ line }) => line),
    breakOff: (is: boolean) => {
      broken = is;
    },
    /** Readers wait until the function that is answered is called. */
    hold: (): (() => void) => {
      let release = () => {};
      held = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    /** Commits lines of one agent as one batch. `told` false: the bus does not hear of it. */
    commit(written: Written[], { told = true, nowMs = Date.now() } = {}): CommittedBatch {
      const builder = new ColumnBuilder();
      const { host = 'h1', agent = host } = written[0]!;
      const first = kept.length;
      for (const one of written)
        builder.add({ tsMs: nowMs, level: 'error', source: 'file', message: 'it broke', ...one } as NewLine);
      const columns = builder.take();
      const batch: CommittedBatch = {
        ...{ agent, host, hostName: host, epoch: 'e', first, count: columns.n, hash: '', receivedMs: nowMs },
        ...{ columns, gap: null, ordinal: first + 1 },
      };
      for (const [i, one] of written.entries()) {
        const { host: _host, agent: _agent, ...rest } = one;
        const line = { tsMs: nowMs, level: 'error', source: 'file', message: 'it broke', ...rest } as NewLine;
        const origin = { id: `${agent}.e.${first + i}`, receivedMs: nowMs, host, hostName: host, agent };
        kept.push({ ordinal: first + 1 + i, line: { ...line, ...origin } });
      }
      if (told) bus.emit('lines', { batches: [batch] });
      return batch;
    },
  };
}

export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'webvirt-alerts-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
