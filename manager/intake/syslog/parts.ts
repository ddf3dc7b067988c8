/** One message of the wire. `wholeBytes` is more than `bytes` holds when it was cut. */
export interface SyslogMessage {
  bytes: Uint8Array;
  wholeBytes: number;
  /** The connection ended within it. */
  brokenOff?: boolean;
}

/** What a message says of itself. */
export interface SyslogParts {
  /** Null: it says no time, or none that can be read. */
  tsMs: number | null;
  hostname?: string;
  appname?: string;
  procid?: string;
  msgid?: string;
  data?: [string, Record<string, string>][];
  message: string;
  /** What is wrong with it: the rest is text. */
  malformed?: string;
}
