export interface CommandsConfig {
  /** A command that reaches its agent later than this after the call is not run. Milliseconds. */
  expiryMs: number;
  /** How long a running job may say nothing before its outcome counts as unknown. Milliseconds. */
  silenceMs: number;
  /** How long its host may be gone before the outcome of a running job counts as unknown. Milliseconds. */
  hostGoneMs: number;
  /** How often overdue jobs are looked for. Milliseconds. */
  sweepMs: number;
}

export const COMMANDS_DEFAULTS: CommandsConfig = {
  expiryMs: 30_000,
  silenceMs: 900_000,
  hostGoneMs: 60_000,
  sweepMs: 1_000,
};
