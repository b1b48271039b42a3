import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// One project per package, so that `vitest run --project engine` runs one of them.
const project = (name: string, root: string, extra: object = {}) => ({
  test: {
    name,
    root,
    include: ["**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    setupFiles: [fileURLToPath(new URL("./.ci/laws.ts", import.meta.url))],
    ...extra,
  },
});

// Each file starts all of Regent and holds it to its times: one after the other. `.ci/test.ts` runs this project after the others.
const oneAtATime = { fileParallelism: false };

export default defineConfig({
  test: {
    // Left to itself, Vitest runs one file at a time on a machine with two cores, and most of them wait more than they work.
    maxWorkers: 2,
    projects: [
      project("contract", "control-plane/contract"),
      project("engine", "control-plane/engine"),
      project("server", "control-plane/server"),
      project("agents", "agents"),
      project("simulation", "control-plane/simulation"),
      project("sandbox", "infra/sandbox"),
      project("repository", ".ci"),
      project("cli", "control-plane/cli", { exclude: ["**/node_modules/**", "**/dist/**", "e2e/**"] }),
      project("e2e", "control-plane/cli/e2e", oneAtATime),
    ],
  },
});
