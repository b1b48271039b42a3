/** Holds the repository to its rules, and every rule to a bad example: a rule that can't fail guards nothing. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findArrowViolations, findLayerViolations } from "./tidy/arrows.ts";
import { findCycles } from "./tidy/cycles.ts";
import { findLooseVersions, findSplitVersions, findUnexplained } from "./tidy/dependencies.ts";
import { findDeadPaths, findUnshownFailures, findUntoldVariables } from "./tidy/docs.ts";
import { bundleEngine, findForeignInputs } from "./tidy/engine-bundle.ts";
import { findLeaks } from "./tidy/leaks.ts";
import { findBannedNames, findWidePorts, NAME_EXCEPTIONS } from "./tidy/names.ts";
import { findAgentCoreImpurities, findEnvironmentReads, findImpurities } from "./tidy/purity.ts";
import { findLongFiles, LINES_GUIDE } from "./tidy/sizes.ts";
import { listPaths, ROOT, readFiles, type SourceFile, type Violation, withoutComments } from "./tidy/tree.ts";

const files = readFiles();
const paths = new Set(listPaths());
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

const file = (path: string, text: string): SourceFile => ({ path, text });

const titleOf = (example: readonly SourceFile[]): string =>
  example.map(({ path, text }) => `${path}: ${text.replace(/\s+/g, " ").slice(0, 60)}`).join(" + ");

type Rule = (files: readonly SourceFile[]) => readonly Violation[];

interface RuleCase {
  readonly law: string;
  readonly rule: Rule;
  /** How the rule meets this repository, where that needs more than its files. */
  readonly here?: () => readonly Violation[];
  /** Each of these alone, or together where a rule needs several files, breaks the law. */
  readonly bad: readonly (readonly SourceFile[])[];
  readonly good: readonly (readonly SourceFile[])[];
}

const ENGINE = "control-plane/engine/health/x.ts";
const SERVER = "control-plane/server/operations/x.ts";

const RULES: readonly RuleCase[] = [
  {
    law: "imports between packages follow the arrows",
    rule: findArrowViolations,
    bad: [
      [file("control-plane/contract/x.ts", 'import type { A } from "@regent/engine";')],
      [file(ENGINE, 'import type { A } from "@regent/server";')],
      [file(ENGINE, 'import { A } from "@regent/contract";')],
      [file(ENGINE, 'import { type A } from "@regent/contract";')],
      [file(ENGINE, 'export { A } from "../../contract/ids.ts";')],
      [file(SERVER, 'import { a } from "@regent/sandbox";')],
      [file(SERVER, 'import { a } from "../../../infra/sandbox/dns/choose.ts";')],
      [file(SERVER, 'import {\n  a,\n  b,\n} from "@regent/cli";')],
      [file(SERVER, 'const a = await import("@regent/agents");')],
      [file("control-plane/server/x.test.ts", 'import { a } from "@regent/cli";')],
      [file("agents/core/x.ts", 'import { decide } from "@regent/engine";')],
      [file("agents/core/x.ts", 'import type { Verdict } from "@regent/engine/model.ts";')],
      [file("infra/sandbox/x.ts", 'import type { RegionId } from "@regent/contract";')],
      [
        file(
          "infra/sandbox/x.test.ts",
          'import { createRoute53Provider } from "@regent/server/adapters/route53/dns-provider.ts";',
        ),
      ],
      [file("dashboard/src/x.tsx", 'import { a } from "@regent/server";')],
      [file("control-plane/simulation/x.ts", 'import { a } from "@regent/agents";')],
      [file("control-plane/simulation/x.ts", 'import { a } from "@regent/agents/probes/tcp.ts";')],
      [file("agents/core/x.ts", 'import { a } from "../../../elsewhere.ts";')],
    ],
    good: [
      [file(ENGINE, 'import type { A } from "@regent/contract";\nimport { b } from "./y.ts";')],
      [file(SERVER, 'import { a } from "@regent/engine/plan/batch.ts";\nimport * as z from "zod";')],
      [file("control-plane/server/x.test.ts", 'const path = new URL("../../infra/sandbox/main.ts", import.meta.url);')],
      [file("agents/core/x.ts", 'import { foldStreak } from "@regent/engine/streak";')],
      [file("control-plane/simulation/x.ts", 'import { a } from "@regent/agents/core/schedule.ts";')],
      [file("control-plane/cli/x.ts", 'import { a } from "@regent/sandbox";\nimport { b } from "@regent/server";')],
      [file(ENGINE, '// import { a } from "@regent/server";\n/*\nimport { a } from "@regent/server";\n*/')],
    ],
  },
  {
    law: "inside a package the layers know only what lies further in",
    rule: findLayerViolations,
    bad: [
      [file(SERVER, 'import { a } from "../adapters/postgres/database.ts";')],
      [file(SERVER, 'import { a } from "../http/app.ts";')],
      [file("control-plane/server/http/x.ts", 'import { a } from "../adapters/route53/budget.ts";')],
      [file("control-plane/server/ports/x.ts", 'import type { A } from "../operations/ledger.ts";')],
      [file("agents/core/x.ts", 'import { a } from "../probes/tcp.ts";')],
      [file("agents/probes/x.ts", 'import { a } from "../runtimes/node/log.ts";')],
    ],
    good: [
      [file("control-plane/server/main.ts", 'import { a } from "./adapters/postgres/database.ts";')],
      [file("control-plane/server/operations/x.test.ts", 'import { a } from "../adapters/memory/zone.ts";')],
      [file("agents/runtimes/node/x.ts", 'import { a } from "../../core/spool.ts";')],
    ],
  },
  {
    law: "folders of a package don't import each other in a ring",
    rule: findCycles,
    bad: [
      [
        file("control-plane/server/a/x.ts", 'import { y } from "../b/y.ts";'),
        file("control-plane/server/b/y.ts", 'import type { X } from "../c/z.ts";'),
        file("control-plane/server/c/z.ts", 'import { x } from "../a/x.ts";'),
      ],
    ],
    good: [
      [
        file("control-plane/server/a/x.ts", 'import { y } from "../b/y.ts";\nimport { w } from "./w.ts";'),
        file("control-plane/server/a/w.ts", 'import { y } from "../b/y.ts";'),
        file("control-plane/server/b/y.ts", ""),
      ],
    ],
  },
  {
    law: "the engine reads no clock, draws no lots, waits for nothing and remembers nothing",
    rule: findImpurities,
    bad: [
      "const now = Date.now();",
      "const now = new Date();",
      "const luck = Math.random();",
      "export const f = async () => 1;",
      'import { join } from "node:path";',
      "let count = 0;",
      "setTimeout(() => 1, 2);",
    ].map((text) => [file(ENGINE, text)]),
    good: [
      [file(ENGINE, 'const at = new Date(now).toISOString(); // not Date.now()\nconst text = "http://x";')],
      [file(SERVER, "Date.now()")],
    ],
  },
  {
    law: "the core of an agent reads no clock and draws no lots",
    rule: findAgentCoreImpurities,
    bad: [[file("agents/core/x.ts", "const now = Date.now();")], [file("agents/core/x.ts", "Math.random()")]],
    good: [[file("agents/core/x.ts", "const sign = async () => 1;")], [file("agents/runtimes/node/x.ts", "Date.now()")]],
  },
  {
    law: "the environment is read where a process starts",
    rule: findEnvironmentReads,
    bad: [[file(SERVER, "const a = process.env.HOME;")], [file("infra/sandbox/links/x.ts", "const { HOME } = process.env;")]],
    good: [
      [file("control-plane/server/main.ts", "run(process.env);")],
      [file(SERVER, "spawn(a, { env: { ...process.env, B: b } });")],
    ],
  },
  {
    law: "exported names use words that say something",
    rule: findBannedNames,
    bad: [
      "export const statusMap = 1;",
      "export interface RegionInfo {}",
      "export class LeaseManager {}",
      "export async function readHelper() {}",
      "export type HTTPData = 1;",
    ].map((text) => [file(SERVER, text)]),
    good: [[file(SERVER, "export interface DatabaseHealth {}\nconst status = 200;")]],
  },
  {
    law: "a port has at most six methods",
    rule: findWidePorts,
    bad: [
      [
        file(
          "control-plane/server/ports/x.ts",
          `export interface X {\n${"  readonly a: (b: string) => Promise<void>;\n".repeat(7)}}\n`,
        ),
      ],
    ],
    good: [
      [
        file(
          "control-plane/server/ports/x.ts",
          `export interface X {\n${"  readonly a: <T>(b: T) => Promise<void>;\n".repeat(6)}}\n`,
        ),
      ],
      [file("control-plane/server/ports/x.ts", `export interface Row {\n${"  readonly a: string;\n".repeat(9)}}\n`)],
    ],
  },
  {
    law: "documents name only paths that exist",
    rule: (given) => findDeadPaths(given, new Set(["control-plane/engine/decide.ts", "docs/TOUR.md", "README.md"])),
    here: () => findDeadPaths(files, paths),
    bad: [
      "`control-plane/engine/gone.ts`",
      "`engine/decide.ts`",
      "see `docs/problems/none.md`",
      "[tour](./TOUR.md)",
      "`infra/nowhere/`",
    ].map((text) => [file("README.md", text)]),
    good: [
      [
        file(
          "README.md",
          "`control-plane/engine/decide.ts:12` `control-plane/engine/` [tour](docs/TOUR.md#x) `POST /v1/reports` `a/b` `text/html`\n```sh\ncat x/y.ts\n```",
        ),
      ],
    ],
  },
  {
    law: "no machine's path, install host or secret is committed",
    rule: findLeaks,
    bad: [
      [file("a.ts", `const a = "/${"root"}/x";`)],
      [file("a.md", `see /${"home"}/anna/regent`)],
      [file("pnpm-lock.yaml", "tarball: x\n")],
      [file("a.md", `https://registry.${"npmjs"}.org/`)],
      [file("a.ts", `-----BEGIN ${"PRIVATE"} KEY-----\n${"A".repeat(40)}`)],
      [file("a.ts", `"${"AKIA"}${"Q".repeat(16)}"`)],
      [file("a.ts", `"${"ghp"}_${"a".repeat(36)}"`)],
      [file("agents/key.pem", "")],
      [file(".env", "")],
      [file(".npmrc", "")],
    ],
    good: [[file("a.ts", `"${"AKIA"}IOSFODNN7EXAMPLE" "/v1/root/x" "src/root/x" "192.0.2.1"`)]],
  },
  {
    law: "dependencies are pinned to one exact version",
    rule: findLooseVersions,
    bad: [
      [file("a/package.json", '{"dependencies":{"x":"^1.2.3"}}')],
      [file("package.json", '{"devDependencies":{"x":"latest"}}')],
      [file("pnpm-workspace.yaml", "catalog:\n  zod: ~4.6.7\n")],
    ],
    good: [
      [file("package.json", '{"dependencies":{"x":"1.2.3-beta.1","y":"catalog:","@regent/z":"workspace:*"}}')],
      [file("pnpm-workspace.yaml", 'catalog:\n  "@types/node": 24.19.2\n  zod: 4.6.7\n')],
    ],
  },
  {
    law: "a dependency has the same version everywhere",
    rule: findSplitVersions,
    bad: [
      [file("a/package.json", '{"dependencies":{"x":"1.2.3"}}'), file("b/package.json", '{"devDependencies":{"x":"1.2.4"}}')],
    ],
    good: [
      [file("a/package.json", '{"dependencies":{"x":"1.2.3"}}'), file("b/package.json", '{"devDependencies":{"x":"1.2.3"}}')],
    ],
  },
];

describe.each(RULES)("$law", ({ rule, here, bad, good }) => {
  test("in this repository", () => {
    expect(here?.() ?? rule(files)).toEqual([]);
  });
  test.each(bad.map((example) => [titleOf(example), example] as const))("refuses %s", (_, example) => {
    expect(rule(example)).not.toEqual([]);
  });
  test.each(good.map((example) => [titleOf(example), example] as const))("allows %s", (_, example) => {
    expect(rule(example)).toEqual([]);
  });
});

describe("docs/DEPENDENCIES.md explains every dependency and no other", () => {
  const manifest = [file("package.json", '{"dependencies":{"zod":"4.6.7","hono":"4.13.19"}}')];
  test("in this repository", () => {
    expect(findUnexplained(files, read("docs/DEPENDENCIES.md"))).toEqual([]);
  });
  test("refuses one without a row, and a row without one", () => {
    expect(findUnexplained(manifest, "| `zod` | parses |\n| `left-pad` | `hono` |\n")).toEqual([
      "docs/DEPENDENCIES.md: hono is missing: say why it is there",
      "docs/DEPENDENCIES.md: left-pad is no dependency (any more)",
    ]);
  });
  test("allows two in one row", () => {
    expect(findUnexplained(manifest, "| `zod`, `hono` | parse and serve |\n")).toEqual([]);
  });
});

describe("docs/OPERATIONS.md names the test that shows each failure", () => {
  const page = read("docs/OPERATIONS.md");

  test("holds here", () => {
    expect(findUnshownFailures(page, files)).toEqual([]);
    expect(page.match(/^\|.*\.test\.ts`/gm)?.length).toBeGreaterThan(30);
  });

  test("finds a test that is gone", () => {
    const row = '| the moon falls | look | nothing | duck | `agents/none.test.ts`: "it fell" |';
    expect(findUnshownFailures(row, files)).toEqual(['docs/OPERATIONS.md: agents/none.test.ts shows no "it fell"']);
  });
});

describe("docs/OPERATIONS.md tells every variable that the server reads", () => {
  test("in this repository", () => {
    const config = read("control-plane/server/config.ts");
    expect(findUntoldVariables(config, "").length).toBeGreaterThan(10);
    expect(findUntoldVariables(config, read("docs/OPERATIONS.md"))).toEqual([]);
  });
  test("refuses one that is not in the table", () => {
    expect(findUntoldVariables("  REGENT_NEW: flag,\n", "REGENT_NEW does things")).not.toEqual([]);
  });
});

describe("nothing but the engine is in the engine's bundle", () => {
  test("in this repository", async () => {
    const ways = ["control-plane/engine/index.ts", "control-plane/engine/health/streak.ts"];
    expect(findForeignInputs(await bundleEngine(ways))).toEqual([]);
  });
  test("refuses a bundle that drags zod in", async () => {
    const violations = findForeignInputs(await bundleEngine(["control-plane/contract/ids.ts"]));
    expect(violations.some((line) => line.includes("zod"))).toBe(true);
  });
});

describe("the lists that the rules rest on", () => {
  test("every exception to the names is still needed", () => {
    const exported = files.map(({ text }) => text).join("\n");
    for (const name of NAME_EXCEPTIONS.keys()) expect(exported).toMatch(new RegExp(`^export .*\\b${name}\\b`, "m"));
  });
  test("comments are blanked, strings and line numbers stay", () => {
    expect(withoutComments('a("http://x"); // b\n/* c\n */ d')).toBe('a("http://x"); \n    \n    d');
  });
  test("the tree is read: sources, documents and manifests are there", () => {
    for (const path of ["control-plane/engine/decide.ts", "README.md", "package.json"]) expect(paths).toContain(path);
  });
});

test("long files are told, not forbidden", () => {
  const long = findLongFiles([file(SERVER, "x\n".repeat(LINES_GUIDE + 1)), file(ENGINE, "x\n")]);
  expect(long).toEqual([{ path: SERVER, lines: LINES_GUIDE + 1 }]);
  const here = findLongFiles(files).map(({ path, lines }) => `${path} ${lines}`);
  if (here.length > 0) console.info(`longer than ${LINES_GUIDE} lines: ${here.join(", ")}`);
});
