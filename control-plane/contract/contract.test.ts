/** Frozen examples of every message: what was once on the wire stays readable, and what is strict stays strict. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type * as z from "zod";
import {
  AgentConfiguration,
  Approval,
  Change,
  Declaration,
  DrainRequest,
  FailbackRequest,
  FailoverRequest,
  FreezeRequest,
  HistoryEvent,
  Observation,
  OperatorReason,
  Outcome,
  PROBLEM_BASE,
  PROBLEMS,
  Problem,
  REASONS,
  REASONS_ALWAYS_UNKNOWN,
  REPORT_OBSERVATIONS_MAX,
  RegionVerdict,
  Report,
  ReportReceipt,
} from "./index.ts";

interface Golden {
  readonly file: string;
  readonly schema: z.ZodType;
  /** Requests and what is signed are strict; answers take new fields, so that an older reader understands a newer writer. */
  readonly isStrict: boolean;
  /** The only fields at the top that may be missing. */
  readonly optional: readonly string[];
}

const GOLDENS: readonly Golden[] = [
  { file: "observation", schema: Observation, isStrict: true, optional: ["phases", "facts"] },
  { file: "report", schema: Report, isStrict: true, optional: [] },
  { file: "report-receipt", schema: ReportReceipt, isStrict: false, optional: ["configuration"] },
  { file: "agent-configuration", schema: AgentConfiguration, isStrict: true, optional: [] },
  {
    file: "declaration",
    schema: Declaration,
    isStrict: true,
    optional: ["profile", "quorum", "drift", "epochLabel", "agents", "services"],
  },
  { file: "verdict", schema: RegionVerdict, isStrict: false, optional: [] },
  { file: "change", schema: Change, isStrict: false, optional: [] },
  { file: "approval", schema: Approval, isStrict: false, optional: [] },
  { file: "history-event", schema: HistoryEvent, isStrict: false, optional: ["change"] },
  { file: "problem", schema: Problem, isStrict: false, optional: ["detail", "errors", "instance"] },
];

type Json = Readonly<Record<string, unknown>>;

const readGolden = (file: string): Json => JSON.parse(readFileSync(new URL(`./goldens/${file}.json`, import.meta.url), "utf8"));

/** Every map inside a value, by path, with a copy of the whole in which that map has one key more. */
const withUnknownKeys = (value: unknown, path = "$"): { path: string; changed: unknown }[] => {
  if (typeof value !== "object" || value === null) return [];
  const own = Array.isArray(value) ? [] : [{ path, changed: { ...value, unheardOf: 1 } }];
  const inner = Object.entries(value).flatMap(([key, part]) =>
    withUnknownKeys(part, `${path}.${key}`).map(({ path: at, changed }) => ({
      path: at,
      changed: Array.isArray(value)
        ? value.map((item, index) => (String(index) === key ? changed : item))
        : { ...value, [key]: changed },
    })),
  );
  return [...own, ...inner];
};

/** Maps whose keys the sender chooses. */
const FREE_MAPS = /\.(facts|headers|targets|priority|capacity)$/;

describe.each(GOLDENS)("$file", ({ file, schema, isStrict, optional }) => {
  const golden = readGolden(file);

  test("is read, and comes out as it went in", () => {
    expect(schema.parse(golden)).toEqual(golden);
    expect(schema.parse(JSON.parse(JSON.stringify(schema.parse(golden))))).toEqual(golden);
  });

  if (isStrict)
    test("an unknown key is refused wherever it stands", () => {
      const changes = withUnknownKeys(golden).filter(({ path }) => !FREE_MAPS.test(path));
      expect(changes.length).toBeGreaterThan(0);
      expect(changes.filter(({ changed }) => schema.safeParse(changed).success).map(({ path }) => path)).toEqual([]);
    });
  else
    test("a field that a newer writer added is taken", () => {
      expect(schema.safeParse({ ...golden, unheardOf: 1 }).success).toBe(true);
    });

  test("only optional fields may be missing", () => {
    const missable = Object.keys(golden).filter((key) => {
      const { [key]: _, ...rest } = golden;
      return schema.safeParse(rest).success;
    });
    expect(missable).toEqual(optional);
  });
});

describe("operators' requests", () => {
  const reason = "planned work";
  test.each<[string, z.ZodType, Json]>([
    ["failover", FailoverRequest, { to: "us-east", reason }],
    ["failback", FailbackRequest, { reason }],
    ["drain", DrainRequest, { region: "us-east", reason }],
    ["freeze", FreezeRequest, { reason }],
  ])("%s needs a reason and takes no unknown key", (_, schema, request) => {
    expect(schema.safeParse(request).success).toBe(true);
    expect(schema.safeParse({ ...request, forced: true }).success).toBe(false);
    expect(schema.safeParse({ ...request, reason: "  " }).success).toBe(false);
    expect(schema.safeParse({ ...request, reason: undefined }).success).toBe(false);
  });

  test("a move sends unless a dry run was asked for, and skips no rule that wasn't named", () => {
    expect(FailoverRequest.parse({ to: "us-east", reason })).toEqual({ to: "us-east", reason, dryRun: false, breakGlass: [] });
    expect(FailoverRequest.safeParse({ to: "us-east", reason, breakGlass: ["A99"] }).success).toBe(false);
  });
});

describe("an observation's outcome and reason belong together", () => {
  const { reason: _, ...bare } = readGolden("observation");
  const isTaken = (observation: Json): boolean => Observation.safeParse({ ...bare, ...observation }).success;

  test("ok has no reason, everything else has one", () => {
    expect(isTaken({ outcome: "ok" })).toBe(true);
    for (const outcome of Outcome.options.filter((other) => other !== "ok")) expect(isTaken({ outcome })).toBe(false);
    for (const reason of REASONS) expect(isTaken({ outcome: "ok", reason })).toBe(false);
  });

  test.each(REASONS_ALWAYS_UNKNOWN)("%s is the agent's own problem and never a failure of the target", (reason) => {
    expect(isTaken({ outcome: "unknown", reason })).toBe(true);
    expect(isTaken({ outcome: "fail", reason })).toBe(false);
    expect(isTaken({ outcome: "degraded", reason })).toBe(false);
  });

  test("the reasons that are always unknown are those of the design", () => {
    expect([...REASONS_ALWAYS_UNKNOWN].sort()).toEqual(
      ["agent_offline", "agent_overloaded", "blocked", "db_auth", "probe_bug", "unsupported"].sort(),
    );
  });

  test("every other reason may be a failure", () => {
    for (const reason of REASONS.filter((other) => !REASONS_ALWAYS_UNKNOWN.includes(other)))
      expect(isTaken({ outcome: "fail", reason })).toBe(true);
  });
});

describe("limits", () => {
  const report = readGolden("report");
  const observation = readGolden("observation");

  test.each(["observations", "unchanged", "backfill"])("a report lists at most 500 of its %s", (list) => {
    const [item] = report[list] as readonly unknown[];
    const isTaken = (length: number): boolean =>
      Report.safeParse({ ...report, [list]: Array.from({ length }, () => item) }).success;
    expect(isTaken(REPORT_OBSERVATIONS_MAX)).toBe(true);
    expect(isTaken(REPORT_OBSERVATIONS_MAX + 1)).toBe(false);
  });

  test("a target can't flood us with facts", () => {
    const facts = (count: number): Json => Object.fromEntries(Array.from({ length: count }, (_, at) => [`f${at}`, at]));
    expect(Observation.safeParse({ ...observation, facts: facts(24) }).success).toBe(true);
    expect(Observation.safeParse({ ...observation, facts: facts(25) }).success).toBe(false);
    expect(Observation.safeParse({ ...observation, facts: { long: "x".repeat(201) } }).success).toBe(false);
  });

  test.each([
    ["ageMs", -1],
    ["ageMs", 8 * 86_400_000],
    ["ageMs", 0.5],
    ["latencyMs", -1],
    ["latencyMs", Number.NaN],
    ["target", "checkout/eu-west"],
    ["outcome", "down"],
    ["reason", "bored"],
  ])("an observation with %s %s is refused", (key, value) => {
    expect(Observation.safeParse({ ...observation, [key]: value }).success).toBe(false);
  });
});

test("problem types may be added, and are never renamed, taken away or given another code", () => {
  expect(PROBLEM_BASE).toBe("https://regent.invalid/problems/");
  const codes = Object.fromEntries(Object.entries(PROBLEMS).map(([slug, { status }]) => [slug, status]));
  expect(codes).toMatchObject(readGolden("problem-codes"));
});

describe("an operator's reason", () => {
  test.each([
    ["release night — naïve ☕", true],
    ["ab", false],
    ["clears\u001b[2J the screen", false],
    ["turns \u202egnitirw", false],
    ["two\nlines", false],
  ])("%j: %s", (reason, isTaken) => {
    expect(OperatorReason.safeParse(reason).success).toBe(isTaken);
  });
});
