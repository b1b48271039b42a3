/** Whose word stands against what is asked: a table of all that can meet. */
import type { OperatorMove, Override } from "@regent/engine";
import { describe, expect, test } from "vitest";
import { OVERRIDES_MAX } from "../../limits.ts";
import { emptyRecord } from "./ledger.ts";
import { findContradiction } from "./standing-overrides.ts";

const NOW = 1_000_000;
const override = (what: Override["what"], until = NOW + 1): Override => ({
  id: "ID",
  by: "ann",
  reason: "new disks",
  at: NOW - 10,
  until,
  what,
  breakGlass: [],
});
const off = { kind: "off", region: "r1" } as const;
const on = { kind: "on", region: "r1" } as const;
const pin = { kind: "pin", shares: { r1: 0.5, r2: 0.5 } } as const;
const freeze = { kind: "freeze" } as const;
const elsewhere = { kind: "off", region: "r2" } as const;
const asks = (what: Override["what"]): OperatorMove => ({ kind: "override", override: override(what) });

const meet = (standing: readonly Override[], move: OperatorMove) => {
  const record = emptyRecord("checkout");
  return findContradiction({ ...record, controls: { ...record.controls, overrides: standing } }, NOW, move);
};

describe("what is asked against what stands", () => {
  test.each<[Override["what"], OperatorMove, boolean]>([
    [off, asks(off), true],
    [off, asks(on), true],
    [off, asks(elsewhere), false],
    [off, asks(pin), true],
    [off, asks(freeze), false],
    [on, asks(off), true],
    [on, asks(elsewhere), false],
    [pin, asks(elsewhere), true],
    [pin, asks(pin), true],
    [pin, asks(freeze), false],
    [freeze, asks(freeze), true],
    [freeze, asks(pin), false],
    [off, { kind: "failover", to: "r1" }, true],
    [off, { kind: "failover", to: "r2" }, false],
    [off, { kind: "undrain", region: "r1" }, true],
    [off, { kind: "drain", region: "r1" }, false],
    [off, { kind: "failback" }, false],
    [on, { kind: "drain", region: "r1" }, true],
    [on, { kind: "drain", region: "r2" }, false],
    [on, { kind: "failover", to: "r1" }, false],
    [pin, { kind: "failback" }, true],
    [pin, { kind: "failover", to: "r1" }, true],
    [pin, { kind: "drain", region: "r3" }, true],
    [pin, { kind: "undrain", region: "r3" }, true],
    [freeze, { kind: "failover", to: "r1" }, false],
  ])("%j stands, %j is asked: refused is %j", (what, move, isRefused) => {
    expect(meet([override(what)], move) !== null).toBe(isRefused);
    // What ran out is in nobody's way.
    expect(meet([override(what, NOW)], move)).toBeNull();
  });

  test("the answer names whose word it is, until when and why", () => {
    expect(meet([override(off)], asks(on))).toEqual({
      kind: "override-stands",
      override: "ID",
      why: "r1 is off by ann until 00:16:40Z: new disks; override ID has to end first",
    });
  });

  test("no more than so many stand for a service", () => {
    const all = Array.from({ length: OVERRIDES_MAX }, (_, at) => override({ kind: "off", region: `x${at}` }));
    expect(meet(all, asks(off))).toMatchObject({
      why: "20 overrides stand here, and no more may: end one first",
      override: null,
    });
    expect(meet(all.slice(1), asks(off))).toBeNull();
  });
});
