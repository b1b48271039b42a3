/**
 * What an outage script can break and mend, in the sandbox's own words: each fault is read by the schema that the sandbox itself reads it by.
 * Pure. Called by sandbox-script.ts.
 */
import { LinkChoice, LinkCut, RegionFault, RegionFaultName, SandboxAgentId } from "@regent/sandbox/faults.ts";
import { ROUTE53_FAULT_KINDS, Fault as Route53Fault, type Route53FaultKind } from "@regent/sandbox/route53/faults.ts";
import { suggestDeclared } from "@regent/server/configuration/nearest.ts";
import { toValueText } from "@regent/server/configuration/problem-path.ts";
import * as z from "zod";

/** What a script may name. */
export interface OutageWorld {
  readonly regions: readonly string[];
  readonly agents: readonly { readonly id: string; readonly region: string }[];
  /** `region/network` */
  readonly vantages: readonly string[];
  /** `control-plane`, `REGION/api`, `REGION/database` */
  readonly targets: readonly string[];
}

export type Break =
  | { readonly on: "region"; readonly region: string; readonly fault: RegionFault }
  | { readonly on: "links"; readonly cut: LinkCut }
  | { readonly on: "route53"; readonly fault: Route53Fault }
  | { readonly on: "agents"; readonly ids: readonly string[] }
  | { readonly on: "part"; readonly part: string; readonly by: "kill" | "stop" };

export type Mend =
  | { readonly on: "everything" }
  | { readonly on: "region"; readonly region: string; readonly fault?: RegionFaultName | undefined }
  | { readonly on: "links"; readonly choice: LinkChoice }
  | { readonly on: "route53"; readonly kind: Route53FaultKind | "all" }
  | { readonly on: "agents"; readonly ids: readonly string[] }
  | { readonly on: "part"; readonly part: string };

/** Of zod's transform: where complaints go. */
export interface Complaints {
  readonly issues: z.core.$ZodRawIssue[];
}

export const complain = (to: Complaints, path: (string | number)[], message: string): never => {
  to.issues.push({ code: "custom", path, message, input: undefined });
  return z.NEVER;
};

/** Reads a part by a schema of its own and takes its complaints over. What comes back after a complaint is never looked at. */
export const readBy = <S extends z.ZodType>(to: Complaints, schema: S, value: unknown): z.output<S> => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues)
    to.issues.push({ ...issue, path: [...issue.path], input: undefined } as z.core.$ZodRawIssue);
  return z.NEVER;
};

/** `{ region, fault, … }`, `{ from?, to?, mode? }`, `{ route53: KIND, … }`, `{ agents }` or `{ part, by? }`. */
export const breakSchema = (world: OutageWorld) =>
  z.unknown().transform((value, to): Break => {
    switch (subjectOf(value)) {
      case "region":
        return readRegionBreak(to, value as Written, world);
      case "route53":
        return readRoute53Break(to, value as Written);
      case "agents":
        return { on: "agents", ids: readAgents(to, value, world) };
      case "part":
        return { on: "part", ...readBy(to, PartBreak, value) };
      case "links": {
        const cut = readBy(to, LinkCut, value);
        return { on: "links", cut: checkEnds(to, cut, world) };
      }
      case undefined:
        return complain(to, [], NOTHING_NAMED);
    }
  });

/** `everything`, or what a break names without its numbers; `route53: all`. */
export const mendSchema = (world: OutageWorld) =>
  z.unknown().transform((value, to): Mend => {
    if (value === "everything") return { on: "everything" };
    switch (subjectOf(value)) {
      case "region": {
        const mend = readBy(to, RegionMend, withFaultAsText(value as Written));
        checkKnown(to, mend.region, { among: world.regions, path: "region", what: "region" });
        return { on: "region", ...mend };
      }
      case "route53":
        return { on: "route53", kind: readBy(to, Route53Mend, value).route53 };
      case "agents":
        return { on: "agents", ids: readAgents(to, value, world) };
      case "part":
        return { on: "part", ...readBy(to, PartMend, value) };
      case "links": {
        const choice = readBy(to, LinkChoice, value);
        return { on: "links", choice: checkEnds(to, choice, world) };
      }
      case undefined:
        return complain(to, [], `everything, or ${NOTHING_NAMED}`);
    }
  });

type Written = Readonly<Record<string, unknown>>;

const NOTHING_NAMED = "name what: region, from or to (links), route53, agents, or part";

const subjectOf = (value: unknown): "region" | "links" | "route53" | "agents" | "part" | undefined => {
  if (typeof value !== "object" || value === null) return undefined;
  // `region` first: a region's fault may name agents too.
  for (const key of ["region", "route53", "agents", "part"] as const) if (key in value) return key;
  return "from" in value || "to" in value ? "links" : undefined;
};

const PartName = z
  .string()
  .regex(/^server(-[a-z0-9-]{1,40})?$/, "a part is the server; regions, links and agents have words of their own");
const PartMend = z.strictObject({ part: PartName });
const PartBreak = z.strictObject({ part: PartName, by: z.enum(["kill", "stop"]).default("kill") });
const RegionMend = z.strictObject({ region: z.string(), fault: RegionFaultName.optional() });
const Route53Mend = z.strictObject({ route53: z.enum(["all", ...ROUTE53_FAULT_KINDS]) });
const Agents = z.strictObject({
  agents: z.union([z.literal("all"), z.array(SandboxAgentId).min(1).max(64)], "write all, or a list of agents"),
});

/** YAML reads 503 as a number. */
const withFaultAsText = (value: Written): Written =>
  typeof value.fault === "number" ? { ...value, fault: String(value.fault) } : value;

const readRegionBreak = (to: Complaints, value: Written, world: OutageWorld): Break => {
  const { region, ...rest } = withFaultAsText(value);
  const known = checkKnown(to, region, { among: world.regions, path: "region", what: "region" });
  const fault = readBy(to, RegionFault, rest);
  if (known && fault.fault === "agents-dead") {
    const here = world.agents.filter((agent) => agent.region === region).map(({ id }) => id);
    for (const id of fault.agents ?? []) checkKnown(to, id, { among: here, path: "agents", what: `agent of ${region}` });
  }
  return { on: "region", region: String(region), fault };
};

const readRoute53Break = (to: Complaints, { route53: kind, ...rest }: Written): Break => {
  if (!checkKnown(to, kind, { among: ROUTE53_FAULT_KINDS, path: "route53", what: "Route 53 fault" })) return z.NEVER;
  return { on: "route53", fault: readBy(to, Route53Fault, { ...rest, kind }) };
};

const readAgents = (to: Complaints, value: unknown, world: OutageWorld): readonly string[] => {
  const everybody = world.agents.map(({ id }) => id);
  const { agents } = readBy(to, Agents, value);
  if (agents === "all") return everybody;
  for (const id of agents ?? []) checkKnown(to, id, { among: everybody, path: "agents", what: "agent" });
  return agents;
};

const checkEnds = <T extends LinkChoice>(to: Complaints, ends: T, { vantages, targets }: OutageWorld): T => {
  if (ends.from !== undefined) checkKnown(to, ends.from, { among: vantages, path: "from", what: "vantage" });
  if (ends.to !== undefined) checkKnown(to, ends.to, { among: targets, path: "to", what: "target" });
  return ends;
};

const checkKnown = (
  to: Complaints,
  word: unknown,
  { among, path, what }: { readonly among: readonly string[]; readonly path: string; readonly what: string },
): boolean => {
  if (among.includes(word as string)) return true;
  const suggestion = suggestDeclared(String(word), among) ?? `there are ${among.join(", ")}`;
  complain(to, [path], `there is no ${what} ${toValueText(word)}; ${suggestion}`);
  return false;
};
