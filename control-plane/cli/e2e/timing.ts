/** How long a move may take: DESIGN §5's formula with the numbers of the `sandbox` profile. */
import type { Change } from "@regent/contract";

const PROFILE = { intervalMs: 1_000, recheckMs: 200, fall: 2, timeoutMs: 800, holdMinMs: 0, holdMaxMs: 2_000 };
const PUSH_MS = 1_000;
const TICK_MS = 1_000;
/** Everything of ours after the last result and the hold. */
const OURS_MS = 300;

export type Fault = "refuse" | "503" | "hang" | "database-down" | "dead";

/** Duration of one failing probe, ms. A refused dial and a 503 cost a few; what hangs costs the timeout. */
const tauOf = (fault: Fault): number => (fault === "hang" ? PROFILE.timeoutMs : 50);

/** Fault to accepted batch at most, ms. `confirmations`: c of the hold. */
export const moveMsMax = (fault: Fault, { confirmations }: { readonly confirmations: 0 | 1 | 2 }): number => {
  const tau = tauOf(fault);
  const hold = confirmations >= 2 ? PROFILE.holdMinMs : PROFILE.holdMaxMs;
  return PROFILE.intervalMs + (PROFILE.fall - 1) * Math.max(PROFILE.recheckMs, tau) + tau + PUSH_MS + hold + TICK_MS + OURS_MS;
};

/** All clocks are there, and none is before the one that leads to it. INSYNC and visible are two looks at the same thing: either may be first. */
export const hasClocksInOrder = ({ times }: Change): boolean => {
  const { detected, decided, accepted, inSync, visible } = times;
  if (detected === undefined || accepted === undefined || inSync === undefined || visible === undefined) return false;
  return detected <= decided && decided <= accepted && accepted <= inSync && accepted <= visible;
};
