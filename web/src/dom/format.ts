const two = (n: number) => String(n).padStart(2, '0');

/** Local time of day with milliseconds: `14:03:22.041`. */
export function clockText(tsMs: number): string {
  const at = new Date(tsMs);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

/** Local day and time, for a line that stands alone: `2026-11-21 14:03:22`. */
export function dayTimeText(tsMs: number): string {
  const at = new Date(tsMs);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Exact UTC, for the hover. */
export function utcText(tsMs: number): string {
  return new Date(tsMs).toISOString().replace('T', ' ').replace('Z', ' UTC');
}

/** A span in one or two units: `4 s`, `3 min`, `2 h 5 min`, `3 d`. Negative spans read as 0 s. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 || hours >= 10 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return days >= 4 || hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/** A short duration with the precision people need: `340 ms`, `2.4 s`, `3 min`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  return spanText(ms);
}

/** Binary sizes as libvirt counts them: `512 MiB`, `3.5 GiB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 || Number.isInteger(value) ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

export function percentText(ratio: number): string {
  const percent = ratio * 100;
  return percent > 0 && percent < 9.95 ? `${percent.toFixed(1)} %` : `${Math.round(percent)} %`;
}

/** Whole numbers with thin spaces: `12 345`. */
export function countText(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+(?!\d))/g, '\u2009');
}

/** `1 host`, `3 hosts`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}
