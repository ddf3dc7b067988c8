/** What all followed logs have in common; bytes, milliseconds. */
export interface FollowConfig {
  lookEveryMs: number;
  linesPerSecond: number;
  behindBytes: number;
  lineCapBytes: number;
  graceMs?: number;
  /** How much of a log is read that was there before the very first look; 64 KiB when absent. */
  oldLogBytes?: number;
}

export const FOLLOW_DEFAULTS: FollowConfig = {
  lookEveryMs: 5_000,
  linesPerSecond: 2_000,
  behindBytes: 64 * 1024 * 1024,
  lineCapBytes: 16 * 1024,
};
