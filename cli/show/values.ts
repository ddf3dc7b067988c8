const SIZE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** 1536 → `1.5 KiB`. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < SIZE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || Number.isInteger(value) ? value : value.toFixed(1)} ${SIZE_UNITS[unit]}`;
}

/** How long ago, in the largest whole unit: `4 s`, `3 min`, `2 h`, `5 d`. */
export function age(tsMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - tsMs) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

export const percent = (ratio: number | undefined) => (ratio === undefined ? '' : `${Math.round(ratio * 100)} %`);

/** 1234 ms → `1.2 s`; from a minute on `2 min 5 s`. */
export function seconds(ms: number, digits = 1): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(digits)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
