/** What the sandbox's control answers: the state of everything that can be broken, and the bodies of its requests. */
import * as z from "zod";
import { AgentsWanted } from "./agents-wanted.ts";
import { LinkCutMode, LinkTarget, RegionFaultName, SandboxAgentId, SandboxRegionId, SandboxVantage } from "./faults.ts";
import { RegionState } from "./regions/region-state.ts";

/** A region as the control sees it: its own word, or why there is none. */
export const SandboxRegion = z.discriminatedUnion("process", [
  RegionState.extend({ process: z.literal("running"), publishedAddress: z.string() }),
  z.object({ process: z.literal("unreachable"), region: SandboxRegionId, publishedAddress: z.string(), why: z.string() }),
]);
export type SandboxRegion = z.infer<typeof SandboxRegion>;

export const SandboxLink = z.object({
  from: SandboxVantage,
  to: LinkTarget,
  /** Port of 127.0.0.1 that the vantage dials to reach the target. */
  port: z.int(),
  cut: LinkCutMode.optional(),
  isListening: z.boolean(),
  connections: z.int(),
});
export type SandboxLink = z.infer<typeof SandboxLink>;

/** Ports of 127.0.0.1. */
export const SandboxPorts = z.object({
  control: z.int(),
  route53: z.int(),
  nameServers: z.array(z.int()),
  resolver: z.int(),
});
export type SandboxPorts = z.infer<typeof SandboxPorts>;

export const SandboxState = z.object({
  regions: z.array(SandboxRegion),
  links: z.array(SandboxLink),
  agents: AgentsWanted,
  /** Faults of the Route 53 API and of propagation that hold now, as that part of the sandbox describes them. */
  route53: z.unknown(),
  ports: SandboxPorts,
});
export type SandboxState = z.infer<typeof SandboxState>;

/** What of a region to mend: one fault by name, or everything, its agents included. */
export const RegionMendRequest = z.strictObject({ fault: RegionFaultName.optional() });
export type RegionMendRequest = z.infer<typeof RegionMendRequest>;

/** Answer of break and mend of one region. */
export const RegionChanged = z.object({ region: SandboxRegion, agents: AgentsWanted });
export type RegionChanged = z.infer<typeof RegionChanged>;

export const LinksChanged = z.object({ links: z.array(SandboxLink) });
export type LinksChanged = z.infer<typeof LinksChanged>;

/** Which agents to kill or start; without any, all of them. */
export const AgentChoice = z.strictObject({ agents: z.array(SandboxAgentId).min(1).max(64).optional() });
export type AgentChoice = z.infer<typeof AgentChoice>;

/** Answer to a fault of the Route 53 API. */
export const Route53Broken = z.object({
  /** Ends this fault alone. */
  id: z.string(),
  route53: z.unknown(),
});
export type Route53Broken = z.infer<typeof Route53Broken>;
