/** Stored lines of these times that belong here perhaps, but that the manager cannot read any more. */
export interface Unreadable {
  lines: number;
  fromMs: number;
  toMs: number;
}
