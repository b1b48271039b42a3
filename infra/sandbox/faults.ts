/**
 * The one vocabulary of what can be broken in the sandbox: what a region does wrong, how a link is cut. Regions, the control API, its
 * client and the command line all parse against these schemas, so a fault has the same name and the same numbers everywhere.
 */
import * as z from "zod";

/** A region's name as it stands in configuration, headers and paths: lower-case letters, digits and dashes, at most 32 long. */
export const SandboxRegionId = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, "a region is 1-32 lower-case letters, digits and dashes");
export type SandboxRegionId = z.infer<typeof SandboxRegionId>;

/** Where an agent stands, written `region/network`. */
export const SandboxVantage = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}\/[a-z0-9][a-z0-9-]{0,31}$/, "a vantage is written region/network, such as eu-west/net-a");
export type SandboxVantage = z.infer<typeof SandboxVantage>;

/** What a link leads to: a region's API, its database, its half of a pair of databases, or the control plane. */
export const LinkTarget = z
  .string()
  .regex(
    /^(?:control-plane|[a-z0-9][a-z0-9-]{0,31}\/(?:api|database|pair))$/,
    "a target is control-plane, REGION/api, REGION/database or REGION/pair",
  );
export type LinkTarget = z.infer<typeof LinkTarget>;

export const SandboxAgentId = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, "an agent is 1-64 lower-case letters, digits and dashes");
export type SandboxAgentId = z.infer<typeof SandboxAgentId>;

/**
 * What a region's API can do wrong. One holds at a time; a new one replaces it.
 * - `refuse`: the port is closed and open connections are reset.
 * - `hang`: accepts, reads, never answers.
 * - `blackhole`: never accepts; straight to the port a dial stays unanswered, through a link it opens and stays silent.
 * - `503`: answers every request with 503.
 * - `slow`: right answers, `delayMs` late (1-60,000 ms).
 * - `alternate`: right in even seconds, 503 in odd ones, by the region's own clock.
 * - `random`: 503 for `rate` (0-1) of the requests, drawn from a generator started with `seed`.
 */
export const ApiFault = z.discriminatedUnion("fault", [
  z.strictObject({ fault: z.literal("refuse") }),
  z.strictObject({ fault: z.literal("hang") }),
  z.strictObject({ fault: z.literal("blackhole") }),
  z.strictObject({ fault: z.literal("503") }),
  z.strictObject({ fault: z.literal("slow"), delayMs: z.int().min(1).max(60_000).default(1_500) }),
  z.strictObject({ fault: z.literal("alternate") }),
  z.strictObject({
    fault: z.literal("random"),
    rate: z.number().min(0).max(1).default(0.3),
    seed: z.int().min(0).max(0xffff_ffff).default(1),
  }),
]);
export type ApiFault = z.infer<typeof ApiFault>;

/**
 * What a region's Postgres can do wrong. One holds at a time.
 * - `database-down`: really stopped, `immediate` (as a crash: recovery follows on start) or `fast` (in order).
 * - `read-only`: `default_transaction_read_only` is on for every new transaction.
 */
export const DatabaseFault = z.discriminatedUnion("fault", [
  z.strictObject({ fault: z.literal("database-down"), mode: z.enum(["fast", "immediate"]).default("immediate") }),
  z.strictObject({ fault: z.literal("read-only") }),
]);
export type DatabaseFault = z.infer<typeof DatabaseFault>;

/** API refused and database stopped at once: the region is gone, only its control port remains. */
export const DeadFault = z.strictObject({ fault: z.literal("dead") });

/** Everything a region process can be told to do wrong. */
export const RegionProcessFault = z.discriminatedUnion("fault", [...ApiFault.options, ...DatabaseFault.options, DeadFault]);
export type RegionProcessFault = z.infer<typeof RegionProcessFault>;

/**
 * Everything a region can be broken by: the region process's faults, `dead` with its agents, and `agents-dead` (all of the
 * region's agents, or the named ones) which leaves the region itself alone.
 */
export const RegionFault = z.discriminatedUnion("fault", [
  ...ApiFault.options,
  ...DatabaseFault.options,
  z.strictObject({ fault: z.literal("dead"), agents: z.boolean().default(false) }),
  z.strictObject({ fault: z.literal("agents-dead"), agents: z.array(SandboxAgentId).min(1).max(32).optional() }),
]);
export type RegionFault = z.infer<typeof RegionFault>;
/** As a caller may write it: numbers with a default may be left out. */
export type RegionFaultRequest = z.input<typeof RegionFault>;

/** The names that `sandbox break` accepts, in the order in which help texts show them. */
export const REGION_FAULT_NAMES = RegionFault.options.map((option) => option.shape.fault.value);
export type RegionFaultName = RegionFault["fault"];
export const RegionFaultName = z.enum(REGION_FAULT_NAMES);

/**
 * How a link is cut.
 * - `refuse`: nothing listens any more; open connections are reset.
 * - `blackhole`: a dial opens, no byte passes either way.
 * - `no-answers`: requests arrive, answers are lost.
 * - `no-requests`: requests are lost; answers to what had already arrived still pass.
 */
export const LinkCutMode = z.enum(["refuse", "blackhole", "no-answers", "no-requests"]);
export type LinkCutMode = z.infer<typeof LinkCutMode>;

const hasEnd = (link: { from?: string | undefined; to?: string | undefined }): boolean =>
  link.from !== undefined || link.to !== undefined;
const END_MISSING = "name the link: from (a vantage), to (a target), or both";

/** Which links: from one vantage, to one target, or the single one between both. */
export const LinkChoice = z
  .strictObject({ from: SandboxVantage.optional(), to: LinkTarget.optional() })
  .refine(hasEnd, END_MISSING);
export type LinkChoice = z.infer<typeof LinkChoice>;

export const LinkCut = z
  .strictObject({ from: SandboxVantage.optional(), to: LinkTarget.optional(), mode: LinkCutMode.default("blackhole") })
  .refine(hasEnd, END_MISSING);
export type LinkCut = z.infer<typeof LinkCut>;
/** The links between the two halves of a pair of databases, both ways. */
export const ReplicationCut = z.strictObject({ mode: LinkCutMode.default("blackhole") });
export type ReplicationCut = z.infer<typeof ReplicationCut>;
export type LinkCutRequest = z.input<typeof LinkCut>;
