export interface EngineConfig {
  /** Lines that may wait to be looked at; beyond it the rules go on from the store. */
  queueLines: number;
  tickMs: number;
  /** What was counted is kept at least so often. */
  saveMs: number;
  /** After the start hosts have so long to come back before they can be silent. */
  graceMs: number;
  retryMs: number;
}

export interface EngineStats {
  /** Rules that are on, and the different filters that they have. */
  rules: number;
  channels: number;
  /** Lines that wait to be looked at, and those that were let go since the start to be read from the store. */
  queuedLines: number;
  skipped: number;
  /** How often a line was held against a filter. */
  evaluated: number;
  /** Rules that read from the store what they have not seen. */
  behind: number;
}

export const ENGINE_DEFAULTS: EngineConfig = {
  queueLines: 100_000,
  tickMs: 1_000,
  saveMs: 2_000,
  graceMs: 30_000,
  retryMs: 1_000,
};
