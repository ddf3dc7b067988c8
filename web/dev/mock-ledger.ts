// Invented ledgers of the pretended hosts: most lost nothing, one has gaps, of which some can be filled.
import type { Host } from '../../common/model/host.ts';
import type { LedgerEntry, StoredGap } from '../../common/model/ledger.ts';

export function createLedger(hosts: readonly Host[], nowMs: number): LedgerEntry[] {
  const gap = (from: number, to: number, reason: string, filled = 0): StoredGap => {
    return { from, to, reason, bytes: (to - from + 1) * 140, filled, receivedMs: nowMs - 7_200_000 };
  };
  const entries = hosts.map((host, index): LedgerEntry => {
    const gaps =
      index === 1
        ? [gap(812_000, 812_000, 'damaged'), gap(400_000, 460_999, 'spool-full'), gap(90_000, 91_499, 'freed', 1_500)]
        : [];
    const lost = gaps.reduce((sum, one) => sum + one.to - one.from + 1 - one.filled, 0);
    const next = 1_204_551 + index * 31_337;
    return {
      ...{ agent: host.id, host: host.id, hostName: host.name, epoch: `${index}a5f00c0ffee${index}`.padEnd(16, '7') },
      ...{ next, lines: next - lost, lost, duplicates: index === 2 ? 14 : 0 },
      waiting: host.state === 'online' ? (index === 3 ? 48_210 : 0) : null,
      ...{ firstMs: nowMs - 9 * 86_400_000, lastMs: nowMs, gaps, gapCount: gaps.length },
    };
  });
  const none = { next: 4_211, lines: 4_211, lost: 0, duplicates: 0, waiting: null, gaps: [], gapCount: 0 };
  const own = { agent: 'manager', host: '', hostName: '', ...none, firstMs: nowMs - 86_400_000, lastMs: nowMs };
  return [
    ...entries,
    { ...own, epoch: '00c0ffee00c0ffee' },
    { ...own, epoch: '11c0ffee00c0ffee', lastMs: nowMs - 1e6 },
  ];
}

/** Fills what the pretended agent still has: not what was damaged, and half of what the spool gave up. */
export function fillLedger(
  ledger: LedgerEntry[],
  path: string,
  body: Record<string, unknown>,
): { filled: number; stillMissing: number; reason: string | null } | null {
  const [, agent, epoch] = /^\/api\/v1\/ledger\/([^/]+)\/([^/]+)\/fill$/.exec(path) ?? [];
  const entry = ledger.find((one) => one.agent === agent && one.epoch === epoch);
  const gap = entry?.gaps.find(({ from }) => from === body['from']);
  if (entry === undefined || gap === undefined) return null;
  const missing = gap.to - gap.from + 1 - gap.filled;
  const filled = gap.reason === 'damaged' ? 0 : Math.ceil(missing / 2);
  gap.filled += filled;
  entry.lost -= filled;
  entry.lines += filled;
  const stillMissing = missing - filled;
  const reason = filled > 0 ? 'The agent has no more of them.' : 'The agent does not have them any more.';
  return { filled, stillMissing, reason: stillMissing === 0 ? null : reason };
}
