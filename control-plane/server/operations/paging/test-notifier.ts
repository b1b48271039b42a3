/** Tells one notifier something harmless, at once and beside its outbox, so that an operator sees whether it arrives. */
import type { NotifierTestAnswer, Notify } from "@regent/contract";
import type { Clock, Ids } from "../../ports/clock.ts";
import type { Messenger } from "../../ports/notifier.ts";

export interface TestNotifierDeps {
  readonly clock: Pick<Clock, "now">;
  readonly ids: Ids;
  readonly messenger: Messenger;
  readonly owner: string;
  readonly notify: Notify | undefined;
}

export interface NotifierTestOrder {
  readonly id: string;
  readonly by: string;
  readonly reason: string;
}

/** Null when no such notifier is declared. */
export const testNotifier = async (
  { clock, ids, messenger, owner, notify }: TestNotifierDeps,
  { id, by, reason }: NotifierTestOrder,
): Promise<NotifierTestAnswer | null> => {
  const declared = notify?.notifiers.find((each) => each.id === id);
  if (!declared) return null;
  const at = clock.now();
  const result = await messenger.open(declared).send({
    id: ids.ulid(),
    action: "test",
    at,
    owner,
    incident: {
      id: ids.ulid(),
      cause: "control-plane:test",
      severity: "info",
      title: `${by} tests this way to be told`,
      openedAt: at,
      hit: 0,
      unwell: 0,
      parts: [],
      lines: [{ at, why: reason }],
      acknowledgedBy: null,
      alerts: ["info"],
    },
  });
  return result.kind === "taken"
    ? { notifier: id, delivered: true, why: "the receiver took it" }
    : { notifier: id, delivered: false, why: result.why };
};
