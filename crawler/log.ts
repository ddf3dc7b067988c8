/** What the parts of the crawler need of the winston logger. */
export interface Logger {
  error(text: string, fields?: Record<string, unknown>): void;
  warn(text: string, fields?: Record<string, unknown>): void;
  info(text: string, fields?: Record<string, unknown>): void;
  debug(text: string, fields?: Record<string, unknown>): void;
}
