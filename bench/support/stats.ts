import type { Row } from './table.ts';

/** The value below which this share of the list lies; NaN for none. */
export function quantile(list: readonly number[], share: number): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** A row without a promise. */
export function plainRow(name: string, value: number, unit: string): Row {
  return { name, value: rounded(value), unit, goal: null, ok: null };
}

/** A row that promises at most this much. */
export function atMost(name: string, value: number, unit: string, limit: number): Row {
  return { name, value: rounded(value), unit, goal: `<= ${limit}`, ok: value <= limit };
}

function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value * 10) / 10 : Math.round(value * 100) / 100;
}
