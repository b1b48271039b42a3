/** What a text would change, and putting it in force. Any replica may: the store takes one version after the other. */
import type { ServiceSpec } from "@regent/engine";
import { toDifference } from "../../configuration/difference.ts";
import { parseDeclaration } from "../../configuration/parse-declaration.ts";
import { toServiceSpecs } from "../../configuration/to-specs.ts";
import type { ConfigurationStore } from "../../ports/configuration-store.ts";
import type { Applied } from "../configuration/configuration-in-force.ts";
import type { ApplyResult, DeclarationError, PlanResult } from "../control-plane.ts";
import { type NamesDeps, planNames } from "../zone/plan-names.ts";

export interface PlanDeps extends NamesDeps {
  readonly inForce: () => Applied | null;
}

export const planConfiguration = async (deps: PlanDeps, text: string, fileName: string): Promise<PlanResult> => {
  const parsed = parseDeclaration(text, fileName);
  if (parsed.kind === "invalid") return { kind: "invalid", errors: parsed.errors };
  const applied = deps.inForce();
  const lines = toDifference(applied?.declaration ?? null, parsed.declaration);
  const before: readonly ServiceSpec[] = [...(applied?.specs.values() ?? [])];
  const names = await planNames(deps, before, toServiceSpecs(parsed.declaration));
  return {
    kind: "planned",
    answer: {
      baseVersion: applied?.version ?? 0,
      changed: lines.length > 0,
      lines: [...lines],
      warnings: [...parsed.warnings],
      names: [...names],
    },
  };
};

export interface ApplyOrder {
  readonly text: string;
  readonly fileName: string;
  readonly baseVersion: number;
  readonly author: string;
  /** The owner that the declaration had: it changes only when a person names it. */
  readonly takeover?: string;
  /** Why, for those who read the history. */
  readonly reason?: string;
}

export const applyConfiguration = async (configurations: ConfigurationStore, order: ApplyOrder): Promise<ApplyResult> => {
  const parsed = parseDeclaration(order.text, order.fileName);
  if (parsed.kind === "invalid") return { kind: "invalid", errors: parsed.errors };
  const current = await configurations.read();
  if ((current?.version ?? 0) !== order.baseVersion) return { kind: "stale", version: current?.version ?? 0 };
  const owner = current?.declaration.owner;
  if (owner !== undefined && owner !== parsed.declaration.owner && owner !== order.takeover)
    return { kind: "invalid", errors: [ownerChange(order.text, owner, parsed.declaration.owner)] };
  const lines = toDifference(current?.declaration ?? null, parsed.declaration);
  const warnings = [...parsed.warnings];
  if (current && lines.length === 0)
    return { kind: "applied", answer: { version: current.version, changed: false, lines: [], warnings } };
  const { baseVersion, text, author, reason } = order;
  const result = await configurations.apply({
    baseVersion,
    declaration: parsed.declaration,
    text,
    author,
    lines,
    ...(reason === undefined ? {} : { reason }),
  });
  if (result.kind === "stale") return result;
  return { kind: "applied", answer: { version: result.version, changed: true, lines: [...lines], warnings } };
};

const ownerChange = (text: string, from: string, to: string): DeclarationError => ({
  path: "owner",
  message: `the owner would change from ${from} to ${to}, and every epoch record in DNS names ${from}: apply with --takeover ${from}, and take over name by name`,
  line: text.split("\n").findIndex((line) => /^\s*owner\s*:/.test(line)) + 1 || 1,
  column: 1,
});
