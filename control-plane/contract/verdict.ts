/** What Regent believes of a service in a region. */
import * as z from "zod";
import { Instant, RegionId } from "./ids.ts";

export const Verdict = z.enum(["healthy", "degraded", "unhealthy", "recovering", "unknown", "maintenance"]);
export type Verdict = z.infer<typeof Verdict>;

export const Flag = z.enum(["gray", "partial", "blind-inside", "suppressed", "single", "weak"]);
export type Flag = z.infer<typeof Flag>;

export const InsideView = z.enum(["up", "single", "down", "silent"]);
export type InsideView = z.infer<typeof InsideView>;

export const OutsideView = z.enum(["up", "none", "weak-up", "weak-down", "mixed", "down"]);
export type OutsideView = z.infer<typeof OutsideView>;

export const EvidenceKind = z.enum(["good", "soft", "bad", "unknown"]);
export type EvidenceKind = z.infer<typeof EvidenceKind>;

/** One vantage's vote and what it rests on; kept with every verdict and change as its evidence. */
export const Vote = z.object({
  vantage: z.string(),
  view: z.enum(["inside", "outside"]),
  vote: z.enum(["up", "down", "none"]),
  /** Why there is no vote, or which check is down and for what reason. */
  because: z.string(),
  suspect: z.boolean(),
});
export type Vote = z.infer<typeof Vote>;

export const RegionVerdict = z.object({
  region: RegionId,
  verdict: Verdict,
  since: Instant,
  /** One sentence with numbers. */
  why: z.string(),
  /** 0-100, or null when there is no fresh evidence. */
  score: z.int().min(0).max(100).nullable(),
  evidence: EvidenceKind,
  inside: InsideView,
  outside: OutsideView,
  flags: z.array(Flag),
  votes: z.array(Vote),
});
export type RegionVerdict = z.infer<typeof RegionVerdict>;
