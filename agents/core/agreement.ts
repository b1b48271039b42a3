/**
 * Whether the control plane's copy of a streak is sure to equal ours. Pure.
 *
 * Both fold the same observations with the same function, so they agree for ever once they agreed. They may not after a start (it kept
 * its copy, we did not) or when observations were given up. From any state, `fall` failures in a row end in down, and
 * `max(clear, rise)` passes in a row end in up with nothing pending: after such a run both copies are equal again.
 */
import type { Cadence, Outcome } from "@regent/contract";

export interface Agreement {
  readonly agreed: boolean;
  /** Failures and passes in a row, delivered since agreement was lost. */
  readonly failures: number;
  readonly passes: number;
}

export const NO_AGREEMENT: Agreement = { agreed: false, failures: 0, passes: 0 };
const AGREED: Agreement = { agreed: true, failures: 0, passes: 0 };

export const foldDelivered = (
  agreement: Agreement,
  outcome: Outcome,
  { fall, clear, rise }: Pick<Cadence, "fall" | "clear" | "rise">,
): Agreement => {
  if (agreement.agreed || outcome === "unknown") return agreement;
  if (outcome === "fail") {
    const failures = agreement.failures + 1;
    return failures >= fall ? AGREED : { agreed: false, failures, passes: 0 };
  }
  const passes = agreement.passes + 1;
  return passes >= Math.max(clear, rise) ? AGREED : { agreed: false, failures: 0, passes };
};
