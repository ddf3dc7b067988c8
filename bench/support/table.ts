import { writeSync } from 'node:fs';

/** One measurement. `goal` and `ok` are null where nothing was promised. */
export interface Row {
  name: string;
  value: number;
  unit: string;
  goal: string | null;
  ok: boolean | null;
}

/** Prints rows as a table for people, or with `--json` as one JSON object a line on fd 1. */
export function printRows(title: string, rows: Row[]): void {
  if (process.argv.includes('--json')) {
    for (const row of rows) writeSync(1, `${JSON.stringify(row)}\n`);
    return;
  }
  const lines = rows.map(({ name, value, unit, goal, ok }) => {
    const verdict = ok === null ? '' : ok ? 'met' : 'MISSED';
    return `  ${name.padEnd(34)} ${value.toLocaleString('en').padStart(12)} ${unit.padEnd(8)} ${(goal ?? '').padEnd(16)} ${verdict}`;
  });
  writeSync(1, `${title}\n${lines.join('\n')}\n`);
}
