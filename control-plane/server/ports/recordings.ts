/** What was seen and declared around a moment that is over, for whoever rehearses it. Reads only. */
import type { Instant, Recording } from "@regent/contract";

export interface RecordingQuery {
  readonly from: Instant;
  readonly to: Instant;
  /** Turns at most, the oldest of them; and as many that stood before. */
  readonly limit: number;
}

export interface Recordings {
  /** What came from an agent's spool isn't in it: nothing was decided on that. */
  readonly read: (query: RecordingQuery) => Promise<Recording>;
}
