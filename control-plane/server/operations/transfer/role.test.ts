/** Who may write: in each phase, and after each end; in doubt nobody. */
import type { DatabaseView } from "@regent/engine";
import { describe, expect, test } from "vitest";
import type { StoredTransfer } from "../../ports/decision-store.ts";
import type { RoleRow } from "../../ports/role-reader.ts";
import { exampleTransfer } from "../../ports/suites/examples.ts";
import { settle, toRole } from "./role.ts";

const stateful = { check: "db", lagMaxMs: 1, leaseMs: 4_000, prepareMs: 1, roleMs: 1, hasHook: true };
const SPEC = { id: "shop", stateful };
const asked = { ...exampleTransfer().hook, attempts: 1 };
const unasked = { ...asked, attempts: 0 };

const row = (transfer: Partial<StoredTransfer> | null, ...actives: string[]): RoleRow => ({
  version: 7,
  passive: Object.fromEntries((actives.length > 0 ? actives : ["eu"]).map((active, i) => [`f${i}`, { active, returning: null }])),
  transfer: transfer && exampleTransfer({ from: "eu", to: "us", ...transfer }),
  isRestored: false,
});

const ENDED = { phase: "stopped", phaseAt: 1_000 } as const;

describe("the writer", () => {
  test.each<[string, RoleRow, string | null]>([
    ["nothing was ever led anywhere", row(null), "eu"],
    ["families lead to two regions", row(null, "eu", "us"), null],
    ["nothing is led anywhere yet", { ...row(null), passive: {} }, null],
    ["prepare", row({ phase: "prepare" }), null],
    ["role", row({ phase: "role" }), null],
    ["switch", row({ phase: "switch" }), "us"],
    ["verify", row({ phase: "verify" }, "us"), "us"],
    ["done", row({ phase: "done" }, "us"), "us"],
    ["done, and moved on since", row({ phase: "done" }, "ap"), "ap"],
    ["stopped before anybody was asked", row({ ...ENDED, hook: unasked }), "eu"],
    ["stopped after the hook was asked", row({ ...ENDED, hook: asked }), null],
    ["stopped after, and one alone was seen since", row({ ...ENDED, hook: asked, settledAt: "us" }), "us"],
    ["stopped after, settled, and traffic moved on since", row({ ...ENDED, hook: asked, settledAt: "eu" }, "us"), "us"],
    [
      "stopped after, settled at the new one, and moved to a third since",
      row({ ...ENDED, hook: asked, settledAt: "us" }, "ap"),
      "ap",
    ],
    [
      "stopped after, settled at the new one, traffic followed, and went back since",
      row({ ...ENDED, hook: asked, settledAt: "us", isFollowed: true }, "eu"),
      "eu",
    ],
    ["stopped after a person was called to promote", row({ ...ENDED, hook: unasked, mayBePromoted: true }), null],
    ["a restored database, whatever it says", { ...row({ phase: "done" }, "us"), isRestored: true }, null],
    ["stopped after, and a person moved the traffic since", row({ ...ENDED, hook: asked }, "us"), "us"],
  ])("%s", (_, given, writer) => {
    const answer = toRole(SPEC, given);
    expect(answer).toMatchObject({ service: "shop", writer, revision: 7, validForMs: writer === null ? 0 : 4_000 });
    expect(answer).not.toHaveProperty("mayWrite");
    for (const region of ["eu", "us", "ap"]) expect(toRole(SPEC, given, region).mayWrite).toBe(region === writer);
  });

  test("is nobody where nothing is remembered", () => {
    expect(toRole(SPEC, null, "eu")).toMatchObject({ writer: null, revision: 0, validForMs: 0, mayWrite: false });
  });
});

describe("after a stop that left it open", () => {
  const seen = (region: string, role: DatabaseView["role"], seenAt: number | null = 2_000): DatabaseView => ({
    region,
    role,
    lagMs: null,
    lagAt: null,
    linkLostAt: null,
    seenAt,
    why: "",
  });
  const stopped = exampleTransfer({ from: "eu", to: "us", ...ENDED, hook: asked });

  test.each<[string, readonly DatabaseView[], string | null]>([
    ["the old one writes and the new one doesn't", [seen("eu", "writable"), seen("us", "standby")], "eu"],
    ["the new one writes and the old one doesn't", [seen("eu", "read-only"), seen("us", "writable")], "us"],
    ["both write", [seen("eu", "writable"), seen("us", "writable")], null],
    ["neither does", [seen("eu", "standby"), seen("us", "standby")], null],
    ["one writes, and the other isn't seen", [seen("eu", "unseen", null), seen("us", "writable")], null],
    ["one is seen in two ways", [seen("eu", "split"), seen("us", "writable")], null],
    ["it was seen before the stop", [seen("eu", "standby"), seen("us", "writable", 1_000)], null],
    ["a third one isn't seen", [seen("eu", "writable"), seen("us", "standby"), seen("ap", "unseen", null)], "eu"],
    ["a third one writes too", [seen("eu", "writable"), seen("us", "standby"), seen("ap", "writable")], null],
    ["nothing is seen", [], null],
  ])("%s", (_, views, region) => {
    expect(settle(stopped, views, 0)).toBe(region);
  });

  test("the old one counts only when the hook's time is over, unless it refused; the new one at once", () => {
    const [old, next] = [
      [seen("eu", "writable"), seen("us", "standby")],
      [seen("eu", "standby"), seen("us", "writable")],
    ];
    const [at = 0] = old.map(({ seenAt }) => seenAt ?? 0);
    expect(settle(stopped, old, at)).toBeNull();
    expect(settle(stopped, old, at - 1)).toBe("eu");
    expect(settle(stopped, next, at)).toBe("us");
    expect(settle({ ...stopped, hook: { ...asked, answer: "refused" } }, old, at)).toBe("eu");
  });

  test("what was settled stays, and what was never open isn't settled", () => {
    const views = [seen("eu", "writable"), seen("us", "standby")];
    expect(settle({ ...stopped, settledAt: "us" }, views, 0)).toBe("us");
    expect(settle({ ...stopped, hook: unasked }, views, 0)).toBeNull();
    for (const phase of ["prepare", "role", "switch", "verify", "done"] as const)
      expect(settle({ ...stopped, phase }, views, 0)).toBeNull();
  });
});
