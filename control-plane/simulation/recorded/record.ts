/** What is known of an incident that is over, put together from what the control plane keeps. */
import type { Declaration, HistoryEvent, Recording } from "@regent/contract";

export interface Record {
  readonly id: string;
  readonly title: string;
  /** Told of, and exported: services that anything happened to. */
  readonly declaration: Declaration;
  readonly recording: Recording;
  /** Oldest first, within the recording's time. */
  readonly history: readonly HistoryEvent[];
  /** What is known of the time before it, oldest first: where traffic stood, and what people had turned off. */
  readonly earlier: readonly HistoryEvent[];
}

/** Before the first sign, so that what led to it is in it. */
export const LEAD_MS = 30 * 60_000;
/** After the last, so that what followed at once is. */
export const TAIL_MS = 5 * 60_000;
