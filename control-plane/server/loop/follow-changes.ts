/** What follows an accepted change: the world is asked until it shows it, and what it answers is looked at soon, a batch's worth together. */
import type { Change } from "@regent/contract";
import type { ServiceSpec } from "@regent/engine";
import type { Logger } from "pino";

export interface FollowDeps {
  readonly verify: (changeId: string, signal: AbortSignal) => Promise<void>;
  readonly sweep: (specs: readonly ServiceSpec[]) => Promise<void>;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

export interface FollowChanges {
  /** Once at a time for each change. */
  readonly follow: (changeId: string) => void;
  /** Whatever was accepted and not yet seen by everybody is followed again. */
  readonly followUnseen: (changes: readonly Change[]) => void;
  readonly seeSoon: (spec: ServiceSpec) => void;
}

/** What the world sees is asked for this long after a change was accepted, besides the regular sweep. */
const SEEN_SOON_MS = 400;

export const createFollowChanges = ({ verify, sweep, signal, log }: FollowDeps): FollowChanges => {
  const followed = new Set<string>();
  const soon = new Map<string, ServiceSpec>();

  const follow = (changeId: string): void => {
    if (followed.has(changeId) || signal.aborted) return;
    followed.add(changeId);
    verify(changeId, signal)
      .catch((error: unknown) =>
        log.warn({ err: error, changeId }, "verification stopped; it goes on when leadership begins again"),
      )
      .finally(() => followed.delete(changeId));
  };

  const lookSoon = (): void => {
    const specs = [...soon.values()];
    soon.clear();
    sweep(specs).catch((error: unknown) => log.debug({ err: error }, "not seen yet; the regular sweep looks again"));
  };

  return {
    follow,
    followUnseen: (changes) => {
      for (const change of changes) if (isUnseen(change)) follow(change.id);
    },
    seeSoon: (spec) => {
      if (soon.size === 0) setTimeout(lookSoon, SEEN_SOON_MS).unref();
      soon.set(spec.id, spec);
    },
  };
};

/** Accepted, and one of the clocks that verification reads hasn't struck. */
const isUnseen = ({ stage, times }: Change): boolean =>
  times.accepted !== undefined &&
  ["accepted", "in-sync", "visible"].includes(stage) &&
  (times.inSync === undefined || times.visible === undefined);
