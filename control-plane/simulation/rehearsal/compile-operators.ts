/** What operators ask for in a rehearsal, against its configuration. Pure. Called by compile.ts. */
import type { OverrideWhat } from "@regent/contract";
import type { OperatorMove } from "@regent/engine";
import type { Path } from "@regent/server/configuration/problem-path.ts";
import type { FreezeScope } from "@regent/server/operations/control-plane.ts";
import { findStrangers } from "./names.ts";
import type { OperatorAct, OperatorLine } from "./rehearsal.ts";
import { idsOf, type Scope, toMoment } from "./scope.ts";
import type { WrittenOperator } from "./shape.ts";
import { toMs } from "./time.ts";

export const compileOperators = (written: readonly WrittenOperator[], scope: Scope): readonly OperatorLine[] =>
  written.flatMap((line, index): readonly OperatorLine[] => {
    const path = ["operators", index];
    const atMs = toMoment(line.at, [...path, "at"], scope);
    const act = toAct(line, path, scope);
    return act === null ? [] : [{ atMs, by: line.as, reason: line.reason, act }];
  });

const toAct = (line: WrittenOperator, path: Path, scope: Scope): OperatorAct | null => {
  const { service, region, to, breakGlass = [] } = line;
  const words = NEEDED[line.do];
  let isSound = tellStrangers(line, path, scope);
  for (const key of ["service", "region", "to"] as const) {
    const isGiven = line[key] !== undefined;
    if (words[key] === "needed" && !isGiven) scope.find(path, `${line.do} needs \`${key}\``);
    if (words[key] === "strange" && isGiven) scope.find([...path, key], `${line.do} takes no \`${key}\``);
    isSound &&= words[key] === "may" || (words[key] === "needed") === isGiven;
  }
  if (breakGlass.length > 0 && !(line.do in MOVES)) scope.find([...path, "breakGlass"], `${line.do} skips no rules`);
  for (const key of ["what", "for", "shares"] as const)
    if (line.do !== "override" && line[key] !== undefined) scope.find([...path, key], `${line.do} takes no \`${key}\``);
  if (!isSound) return null;
  switch (line.do) {
    case "failover":
      return { kind: "move", service: service!, move: { kind: "failover", to: to! }, breakGlass };
    case "failback":
      return { kind: "move", service: service!, move: { kind: "failback" }, breakGlass };
    case "drain":
    case "undrain":
      return { kind: "move", service: service!, move: { kind: line.do, region: region! } satisfies OperatorMove, breakGlass };
    case "freeze":
    case "unfreeze":
      return { kind: "freeze", scope: toScope(service, region), isFrozen: line.do === "freeze" };
    case "override":
      return toOverride(line, path, scope);
    case "approve":
    case "refuse":
      return { kind: "answer", service: service!, isApproved: line.do === "approve" };
  }
};

const MOVES = { failover: true, failback: true, drain: true, undrain: true, override: true };

/** What it needs depends on what it decides; its shares are checked by whoever makes it, and refused as there. */
const toOverride = (line: WrittenOperator, path: Path, scope: Scope): OperatorAct | null => {
  const { service, region, what, shares, for: length, breakGlass = [] } = line;
  if (what === undefined || length === undefined) {
    scope.find(path, "override needs `what` and `for`");
    return null;
  }
  const isOfRegion = what === "on" || what === "off";
  if (isOfRegion !== (region !== undefined))
    scope.find(path, isOfRegion ? `override of ${what} needs \`region\`` : `override of ${what} takes no \`region\``);
  if ((what === "pin") !== (shares !== undefined))
    scope.find(path, what === "pin" ? "override of pin needs `shares`" : `override of ${what} takes no \`shares\``);
  const decided = decidedBy(what, region, shares);
  return decided && { kind: "override", service: service!, what: decided, forMs: toMs(length), breakGlass };
};

const decidedBy = (
  what: NonNullable<WrittenOperator["what"]>,
  region: string | undefined,
  shares: WrittenOperator["shares"],
): OverrideWhat | null => {
  switch (what) {
    case "on":
    case "off":
      return region === undefined ? null : { kind: what, region };
    case "pin":
      return shares === undefined ? null : { kind: "pin", shares };
    case "freeze":
      return { kind: "freeze" };
  }
};

type Need = "needed" | "may" | "strange";
const needs = (service: Need, region: Need, to: Need) => ({ service, region, to });
const NEEDED: Readonly<Record<WrittenOperator["do"], ReturnType<typeof needs>>> = {
  failover: needs("needed", "strange", "needed"),
  failback: needs("needed", "strange", "strange"),
  drain: needs("needed", "needed", "strange"),
  undrain: needs("needed", "needed", "strange"),
  freeze: needs("may", "may", "strange"),
  unfreeze: needs("may", "may", "strange"),
  approve: needs("needed", "strange", "strange"),
  refuse: needs("needed", "strange", "strange"),
  override: needs("needed", "may", "strange"),
};

const toScope = (service: string | undefined, region: string | undefined): FreezeScope => {
  if (service === undefined) return { kind: "global" };
  return region === undefined ? { kind: "service", service } : { kind: "region", service, region };
};

/** False when something was told. */
const tellStrangers = ({ service, region, to }: WrittenOperator, path: Path, { declaration, find }: Scope): boolean => {
  const declared = declaration.services.find(({ id }) => id === service);
  const regions = declared?.endpoints.map((endpoint) => endpoint.region) ?? idsOf(declaration.regions);
  const told = [
    ...findStrangers(service, idsOf(declaration.services), "service").map((message) => ["service", message] as const),
    ...findStrangers(region, regions, "region of this service").map((message) => ["region", message] as const),
    ...findStrangers(to, regions, "region of this service").map((message) => ["to", message] as const),
    ...(region !== undefined && service === undefined ? [["region", "a region is frozen for a service: name it"] as const] : []),
  ];
  for (const [key, message] of told) find([...path, key], message);
  return told.length === 0;
};
