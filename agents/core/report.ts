/** Puts the envelope around a part: the report's exact JSON text, with ages as of `now`. No I/O. */
import type { AgentSelf, Report } from "@regent/contract";
import { type Part, toLists } from "./part.ts";

export type ReportIdentity = Pick<Report, "aud" | "agent" | "region" | "network" | "boot" | "build" | "runtime">;

export interface ReportMoment {
  /** Monotonic, ms. */
  readonly now: number;
  /** The agent's own wall clock, ms. */
  readonly sentAt: number;
  readonly configurationVersion: number;
  readonly self: AgentSelf;
}

export const toReport = (
  identity: ReportIdentity,
  part: Part,
  { now, sentAt, configurationVersion, self }: ReportMoment,
): Report => ({
  v: 1,
  ...identity,
  sequence: part.sequence,
  sentAt,
  configurationVersion,
  self,
  ...toLists(part, now),
});
