/**
 * When the hook may be asked, beyond what the engine says. The first time only after every lease of a reader of the role has run out: counted by
 * this process's own clock from when it knew that the role was taken back, as the commit itself may have taken long, and the database's clock may
 * jump. After failures in growing pauses with jitter, so that what came back isn't overrun.
 */
import type { Clock } from "../../ports/clock.ts";
import type { StoredTransfer } from "../../ports/decision-store.ts";
import type { HookAnswer } from "../../ports/hook-caller.ts";

export interface HookPause {
  /** It is seen, and so it is committed: from now on its leases run out. */
  readonly note: (transfer: StoredTransfer) => void;
  readonly waitMs: (transfer: StoredTransfer, leaseMs: number) => number;
  readonly heard: (id: string, answer: HookAnswer["answer"]) => void;
  readonly forget: () => void;
}

/** Transfers of one leadership: more than there ever are under way. */
const KNOWN_MAX = 1_000;
const FIRST_MS = 1_000;
const PAUSE_MS_MAX = 10_000;

export const createHookPause = ({
  clock,
  random = Math.random,
}: {
  readonly clock: Pick<Clock, "monotonic">;
  readonly random?: () => number;
}): HookPause => {
  /** By transfer: since when it is known here to be committed. */
  const known = new Map<string, number>();
  const failures = new Map<string, { readonly inRow: number; readonly untilMs: number }>();

  const note = ({ id }: StoredTransfer): number => {
    const since = known.get(id) ?? clock.monotonic();
    // Whoever is forgotten waits anew.
    if (known.size >= KNOWN_MAX && !known.has(id)) known.clear();
    known.set(id, since);
    return since;
  };

  return {
    note: (transfer) => void note(transfer),
    waitMs: (transfer, leaseMs) => {
      const { id, hook } = transfer;
      const at = clock.monotonic();
      const since = note(transfer);
      // Whoever led before has waited already.
      const leaseEnds = hook.attempts > 0 ? at : since + leaseMs;
      return Math.max(0, Math.max(leaseEnds, failures.get(id)?.untilMs ?? at) - at);
    },
    heard: (id, answer) => {
      const inRow = answer === "failed" ? (failures.get(id)?.inRow ?? 0) + 1 : 0;
      const fullMs = Math.min(FIRST_MS * 2 ** Math.min(inRow - 1, 10), PAUSE_MS_MAX);
      if (inRow === 0) failures.delete(id);
      else failures.set(id, { inRow, untilMs: clock.monotonic() + fullMs * (0.5 + random() / 2) });
    },
    forget: () => {
      known.clear();
      failures.clear();
    },
  };
};
