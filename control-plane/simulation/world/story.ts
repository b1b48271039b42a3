/** What happened in a virtual world, as its control plane told it: taken from the commits that it made, so that nothing is told that wasn't kept. */
import type { Change, EvidenceKind, Instant, RuleAnswer, Verdict, Weights } from "@regent/contract";
import type { Decision } from "@regent/engine";
import type { HistoryEntry } from "@regent/server/ports/decision-store.ts";

/** A verdict that changed. */
export interface Turn {
  readonly at: Instant;
  readonly service: string;
  readonly region: string;
  readonly from: Verdict | null;
  readonly to: Verdict;
  readonly evidence: EvidenceKind;
  readonly why: string;
}

/** Weights that stand in DNS from this moment on. */
export interface Standing {
  readonly at: Instant;
  readonly service: string;
  readonly weights: Weights;
}

/** A move that was wanted and not allowed, from its first moment until something else is decided. */
export interface Held {
  readonly at: Instant;
  /** Infinite while it is held. */
  readonly until: Instant;
  readonly service: string;
  readonly kind: NonNullable<Decision["proposal"]>["kind"];
  readonly left: readonly string[];
  readonly received: readonly string[];
  /** Rules that stand in the way; none where only the service's mode does. */
  readonly rules: readonly RuleAnswer[];
  /** The service's mode, where it stands in the way. */
  readonly mode: "advisory" | "approve" | null;
  readonly sentence: string;
}

/** All regions of a family are past serving, or another standstill of the strategy. */
export interface Standstill {
  readonly at: Instant;
  readonly until: Instant;
  readonly service: string;
  readonly sentence: string;
}

export interface Story {
  readonly turns: Turn[];
  /** Decided and written ahead, in the order of their moments. */
  readonly changes: Change[];
  readonly standings: Standing[];
  readonly held: Held[];
  readonly standstills: Standstill[];
  readonly history: HistoryEntry[];
  /** Check streaks that went down. */
  downs: number;
  reports: number;
  /** Looks at one service. */
  looks: number;
  /** Looks during which a vantage had lost its vote. */
  suspectLooks: number;
  /** Regions whose evidence became bad, whatever the hold made of it. */
  badEvidence: number;
}

export const createStory = (): Story => ({
  turns: [],
  changes: [],
  standings: [],
  held: [],
  standstills: [],
  history: [],
  downs: 0,
  reports: 0,
  looks: 0,
  suspectLooks: 0,
  badEvidence: 0,
});

/** Notes what each look at a service says is in the way, as spans of time. */
export const createHeldBook = (story: Story) => {
  const open = new Map<string, { key: string; index: number }>();
  const openStill = new Map<string, number>();

  const close = (service: string, at: Instant): void => {
    const known = open.get(service);
    if (!known) return;
    story.held[known.index] = { ...story.held[known.index]!, until: at };
    open.delete(service);
  };

  const noteHeld = (
    service: string,
    { proposal, rules, isAllowed, sentence }: Decision,
    mode: Held["mode"],
    at: Instant,
  ): void => {
    if (proposal === null || isAllowed) {
      close(service, at);
      return;
    }
    const standing = rules.filter(({ answer, skipped }) => answer !== "allow" && !skipped);
    const { kind, leaves: left, gains: received } = proposal;
    const key = JSON.stringify([kind, left, received, mode, standing.map(({ rule, answer }) => [rule, answer])]);
    if (open.get(service)?.key === key) return;
    close(service, at);
    const until = Number.POSITIVE_INFINITY;
    const index = story.held.push({ at, until, service, kind, left, received, rules: standing, mode, sentence }) - 1;
    open.set(service, { key, index });
  };

  const noteStandstill = (service: string, failStatic: string | null, at: Instant): void => {
    const index = openStill.get(service);
    if (failStatic !== null && index === undefined) {
      const until = Number.POSITIVE_INFINITY;
      openStill.set(service, story.standstills.push({ at, until, service, sentence: failStatic }) - 1);
    } else if (failStatic === null && index !== undefined) {
      story.standstills[index] = { ...story.standstills[index]!, until: at };
      openStill.delete(service);
    }
  };

  return (service: string, decision: Decision, mode: Held["mode"], at: Instant): void => {
    noteHeld(service, decision, mode, at);
    noteStandstill(service, decision.failStatic, at);
  };
};
