/** What every way to tell people promises, whatever its receiver does. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Notice, Notifier } from "../notifier.ts";
import { ulid } from "./examples.ts";

/** `down`: nobody listens. `hang`: takes the request and never answers. `tls`: speaks no TLS, or with a certificate that doesn't hold. */
export type NotifierFault = "down" | "slow" | "error" | "busy" | "garbage" | "hang" | "refuse";

export interface NotifierBench {
  readonly notifier: Notifier;
  /** What the receiver took, in order: the id that it recognises doubles by, and all of it as text. */
  readonly taken: () => readonly { readonly id: string; readonly text: string }[];
  readonly set: (fault: NotifierFault | null) => Promise<void>;
  /** What must appear in no answer. */
  readonly secret: string;
  /** What the receiver asks for when it is busy, ms; null where its protocol has no word for it. */
  readonly busyMs: number | null;
  /** Ids are those of messages; a pager knows the incident's alone. */
  readonly idOf: (notice: Notice) => string;
  /** Has a breaker of its own; a twin of tests has none. */
  readonly isGuarded: boolean;
  readonly close: () => Promise<void>;
}

export const exampleNotice = (notice: Partial<Notice> = {}, incident: Partial<Notice["incident"]> = {}): Notice => ({
  id: ulid(),
  action: "open",
  at: 1_795_000_000_000,
  owner: "acme",
  incident: {
    id: ulid(),
    cause: "region:eu-west",
    severity: "critical",
    title: "traffic left eu-west",
    openedAt: 1_795_000_000_000,
    hit: 200,
    unwell: 200,
    parts: ["shop/eu-west", "mail/eu-west"],
    lines: [{ at: 1_795_000_000_000, why: "shop: eu-west refuses from 4 of 5 vantages" }],
    acknowledgedBy: null,
    alerts: ["critical"],
    ...incident,
  },
  ...notice,
});

/** A notifier ends by itself: well before this. */
const PATIENCE_MS = 5_000;

export const notifierSuite = (name: string, open: () => Promise<NotifierBench>): void => {
  describe(`${name} notifier`, () => {
    let bench: NotifierBench;
    beforeEach(async () => {
      bench = await open();
    });
    afterEach(() => bench.close());

    test("a notice is taken, with its id and what it says", async () => {
      const notice = exampleNotice();
      expect(await bench.notifier.send(notice)).toEqual({ kind: "taken" });
      expect(bench.taken()).toHaveLength(1);
      expect(bench.taken()[0]?.id).toBe(bench.idOf(notice));
      for (const words of ["traffic left eu-west", "shop: eu-west refuses", "shop/eu-west"])
        expect(bench.taken()[0]?.text).toContain(words);
    });

    test("sent again it has the same id, and every action is taken", async () => {
      const notice = exampleNotice();
      for (let i = 0; i < 2; i += 1) await bench.notifier.send(notice);
      expect(bench.taken().map(({ id }) => id)).toEqual([bench.idOf(notice), bench.idOf(notice)]);
      for (const action of ["update", "escalate", "acknowledge", "close", "tell"] as const)
        expect(await bench.notifier.send(exampleNotice({ action }))).toEqual({ kind: "taken" });
      expect(bench.taken()).toHaveLength(7);
    });

    test.each(["down", "error", "busy", "garbage", "hang"] as const)("a receiver that is %s gets it later", async (fault) => {
      await bench.set(fault);
      const begun = performance.now();
      const notice = exampleNotice();
      const result = await bench.notifier.send(notice);
      expect(result.kind).toBe("later");
      expect(performance.now() - begun).toBeLessThan(PATIENCE_MS);
      expect(JSON.stringify(result)).not.toContain(bench.secret);
      if (fault === "busy" && bench.busyMs !== null) expect(result).toMatchObject({ retryAfterMs: bench.busyMs });
      await bench.set(null);
      expect(await bench.notifier.send(notice)).toEqual({ kind: "taken" });
      expect(bench.taken().map(({ id }) => id)).toContain(bench.idOf(notice));
    });

    test("a slow receiver is waited for", async () => {
      await bench.set("slow");
      expect(await bench.notifier.send(exampleNotice())).toEqual({ kind: "taken" });
      expect(bench.taken()).toHaveLength(1);
    });

    test("a receiver that has failed five times is left in peace for a while, and says so", async ({ skip }) => {
      if (!bench.isGuarded) skip();
      await bench.set("error");
      const results = [];
      for (let i = 0; i < 6; i += 1) results.push(await bench.notifier.send(exampleNotice()));
      const last = results.at(-1);
      expect(last).toMatchObject({ kind: "later", retryAfterMs: expect.any(Number) });
      expect(last?.kind === "later" && last.why).toContain("open");
    });
  });
};
