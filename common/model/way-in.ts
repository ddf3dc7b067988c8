/** Lines, or requests, that came to the same for the same reason. */
export interface ReasonCount {
  reason: string;
  count: number;
}

/** What came in by one way, or of one sender, since the manager was started. */
export interface WayCounts {
  taken: number;
  refused: ReasonCount[];
  dropped: ReasonCount[];
  sentBack: number;
  lastSeenMs: number | null;
}

/** A way by which programs outside send lines; see `GET /api/v1/intake`. */
export interface WayIn extends WayCounts {
  way: string;
  /** Null: it is off. */
  listens: string | null;
  senders: (WayCounts & { id: string; name: string })[];
}
