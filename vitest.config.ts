import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import LongestFirst from "./.ci/longest-first.ts";

const NEVER = ["**/node_modules/**", "**/dist/**"];
/** Holds all of Regent to its times: `.ci/test.ts` runs it alone. */
const MAIN_JOB = "main-job.test.ts";

// One project per package, so that `vitest run --project engine` runs one of them.
const project = (name: string, root: string, extra: object = {}) => ({
  test: {
    name,
    root,
    include: ["**/*.test.ts"],
    exclude: NEVER,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    setupFiles: [fileURLToPath(new URL("./.ci/laws.ts", import.meta.url))],
    ...extra,
  },
});

export default defineConfig({
  test: {
    // Left to itself, Vitest runs one file at a time on a machine with two cores, and most of them wait more than they work.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      project("contract", "control-plane/contract"),
      project("engine", "control-plane/engine"),
      project("server", "control-plane/server"),
      project("agents", "agents"),
      project("simulation", "control-plane/simulation"),
      project("sandbox", "infra/sandbox"),
      project("repository", ".ci"),
      project("cli", "control-plane/cli", { exclude: [...NEVER, "e2e/**"] }),
      project("e2e", "control-plane/cli/e2e", { exclude: [...NEVER, MAIN_JOB] }),
      project("main-job", "control-plane/cli/e2e", { include: [MAIN_JOB] }),
    ],
  },
});
