/**
 * The table of DESIGN 5: what the inside and the outside view amount to together, and how long it must last. Pure. Called by view.ts.
 *
 * Two readings keep the table monotone (better evidence never gives a worse answer), and hold for every cell:
 * - A weak vote up is read as UP, except beside a silent inside, where it would count alone.
 * - What a weak vote down on another network adds to SINGLE, several such votes that miss the quorum add too, as long as nobody votes up.
 */
import type { EvidenceKind, Flag } from "@regent/contract";
import type { Settings } from "../model.ts";
import { holdMs } from "./hold.ts";
import type { InsideFinding } from "./inside.ts";
import type { OutsideFinding } from "./outside.ts";

export interface Weighing {
  readonly kind: EvidenceKind;
  /** Milliseconds that bad evidence must last; the longest hold when it isn't bad. */
  readonly holdMs: number;
  readonly flags: readonly Flag[];
}

export interface WeighInput {
  readonly inside: InsideFinding;
  readonly outside: OutsideFinding;
  readonly quorumNetworks: number;
  readonly settings: Pick<Settings, "holdMinMs" | "holdMaxMs">;
}

/** `confirmations` is what hold(c) is asked with. */
interface Cell {
  readonly kind: EvidenceKind;
  readonly confirmations?: number;
  readonly flag?: Flag;
}

const LONGEST = 0;
const LONG = 1;

export const weighViews = (input: WeighInput): Weighing => {
  const { kind, confirmations, flag } = cellOf(input);
  const flags: Flag[] = flag === undefined ? [] : [flag];
  if (input.inside.view === "single") flags.push("single");
  if (input.outside.view === "weak-up" || input.outside.view === "weak-down") flags.push("weak");
  return { kind, holdMs: holdMs(input.settings, confirmations ?? LONGEST), flags };
};

const cellOf = (input: WeighInput): Cell => {
  const { inside, outside } = input;
  switch (inside.view) {
    case "up":
      return rowUp(outside);
    case "single":
      return rowSingle(input);
    case "down":
      return rowDown(outside);
    case "silent":
      return rowSilent(outside);
  }
};

const rowUp = (outside: OutsideFinding): Cell => {
  switch (outside.view) {
    case "up":
    case "none":
    case "weak-up":
      return { kind: "good" };
    case "mixed":
    case "weak-down":
      return { kind: "soft", flag: "partial" };
    case "down":
      return { kind: "bad", flag: "gray", confirmations: outside.down.length - 1 };
  }
};

const rowSingle = ({ inside, outside, quorumNetworks }: WeighInput): Cell => {
  switch (outside.view) {
    case "up":
    case "none":
    case "weak-up":
      return { kind: "soft" };
    case "mixed":
    case "weak-down":
      return isConfirmedElsewhere(inside, outside, quorumNetworks) ? { kind: "bad", confirmations: LONGEST } : { kind: "soft" };
    case "down":
      return { kind: "bad", confirmations: outside.down.length };
  }
};

const rowDown = (outside: OutsideFinding): Cell => {
  switch (outside.view) {
    case "up":
    case "none":
    case "weak-up":
      return { kind: "bad", confirmations: LONGEST };
    case "mixed":
    case "weak-down":
      return { kind: "bad", confirmations: LONG };
    case "down":
      return { kind: "bad", confirmations: outside.down.length };
  }
};

const rowSilent = (outside: OutsideFinding): Cell => {
  switch (outside.view) {
    case "up":
      return { kind: "good", flag: "blind-inside" };
    case "none":
    case "weak-up":
    case "mixed":
    case "weak-down":
      return { kind: "unknown" };
    case "down":
      return { kind: "bad", confirmations: outside.down.length - 1 };
  }
};

const isConfirmedElsewhere = (inside: InsideFinding, outside: OutsideFinding, quorumNetworks: number): boolean =>
  outside.down.length === outside.voters.length &&
  outside.down.some(({ vantage }) => quorumNetworks < 2 || inside.down.some((own) => own.vantage.network !== vantage.network));
