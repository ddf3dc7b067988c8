import Backbone from 'backbone';
import type { LedgerEntry, StoredGap } from '../../../common/model/ledger.ts';
import { byName } from './by-name.ts';

export class LedgerModel extends Backbone.Model<LedgerEntry> {}

/** What became of every number that an agent gave to a line, by agent and epoch. */
export class Ledger extends Backbone.Collection<LedgerModel> {
  declare loaded: boolean;

  override preinitialize(): void {
    this.model = LedgerModel;
    this.loaded = false;
  }

  override initialize(): void {
    this.once('loaded', () => {
      this.loaded = true;
    });
  }

  override modelId({ agent, epoch }: LedgerEntry): string {
    return `${agent}/${epoch}`;
  }
}

export interface FillOutcome {
  filled: number;
  stillMissing: number;
  reason: string | null;
}

/** All epochs of one agent, the newest first. */
export interface AgentLedger {
  agent: string;
  /** '' for the manager and the crawler. */
  host: string;
  name: string;
  epochs: LedgerEntry[];
}

const OWN_NAMES: Record<string, string> = { manager: 'Manager', crawler: 'Crawler', external: 'Outside' };

/** By agent: those with a gap first, filled or not, then by name. Nothing jumps when one of them logs, or when one is filled. */
export function byAgent(entries: readonly LedgerEntry[]): AgentLedger[] {
  const agents = new Map<string, AgentLedger>();
  for (const entry of entries) {
    const { agent, host, hostName } = entry;
    const known = agents.get(agent);
    const name = OWN_NAMES[agent] ?? (hostName || agent);
    if (known === undefined) agents.set(agent, { agent, host, name, epochs: [entry] });
    else known.epochs.push(entry);
  }
  const list = [...agents.values()];
  for (const one of list) one.epochs.sort((a, b) => (b.lastMs ?? 0) - (a.lastMs ?? 0));
  const rank = ({ host, epochs }: AgentLedger) =>
    (epochs.some(({ gapCount }) => gapCount > 0) ? 2 : 0) + Number(host !== '');
  return list.sort((a, b) => rank(b) - rank(a) || byName(a.name, b.name));
}

/** Epochs worth a row of their own: the newest, and every one that lost something or still has lines that wait. */
export function shownEpochs(agent: AgentLedger, all: boolean): LedgerEntry[] {
  return agent.epochs.filter((entry, i) => all || i === 0 || entry.gapCount > 0 || (entry.waiting ?? 0) > 0);
}

export interface LedgerTotals {
  agents: number;
  lines: number;
  lost: number;
  gaps: number;
  waiting: number;
  duplicates: number;
}

export function totalsOf(entries: readonly LedgerEntry[]): LedgerTotals {
  const sum = (pick: (entry: LedgerEntry) => number) => entries.reduce((total, entry) => total + pick(entry), 0);
  return {
    agents: new Set(entries.map(({ agent }) => agent)).size,
    lines: sum((entry) => entry.lines),
    lost: sum((entry) => entry.lost),
    gaps: sum((entry) => entry.gapCount),
    waiting: sum((entry) => entry.waiting ?? 0),
    duplicates: sum((entry) => entry.duplicates),
  };
}

/** A part of the strip, in thousandths of its width. */
export interface StripPart {
  kind: 'received' | 'lost' | 'filled' | 'waiting';
  x: number;
  width: number;
  gap: StoredGap | null;
}

const WIDTH = 1_000;
/** A gap of one number among a million is still seen. */
const LEAST_WIDTH = 4;

/** The numbers of an epoch as a strip, from 0 to what waits; gaps lie over what was received. */
export function stripOf({ next, waiting, gaps }: Pick<LedgerEntry, 'next' | 'waiting' | 'gaps'>): StripPart[] {
  const all = next + (waiting ?? 0);
  if (all === 0) return [];
  const at = (number: number) => (number / all) * WIDTH;
  const parts: StripPart[] = [{ kind: 'received', x: 0, width: at(next), gap: null }];
  for (const gap of gaps) {
    const width = Math.max(LEAST_WIDTH, at(gap.to - gap.from + 1));
    const kind = missingOf(gap) === 0 ? 'filled' : 'lost';
    parts.push({ kind, x: Math.min(at(gap.from), WIDTH - width), width, gap });
  }
  if (waiting !== null && waiting > 0) {
    const width = Math.max(LEAST_WIDTH, at(waiting));
    parts.push({ kind: 'waiting', x: WIDTH - width, width, gap: null });
  }
  return parts;
}

/** Numbers of a gap that are still missing. */
export function missingOf(gap: Pick<StoredGap, 'from' | 'to' | 'filled'>): number {
  return gap.to - gap.from + 1 - gap.filled;
}
