/** Where the program of each part lies: its bundle when we are a bundle ourselves, else its source. The one place that knows. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** bundle.mjs makes `dist/regent.mjs` of main.ts; sources keep their `.ts`. */
const isBundled = !import.meta.url.endsWith(".ts");
const root = new URL(isBundled ? "../../../" : "../../", import.meta.url);

const at = (path: string): string => fileURLToPath(new URL(path, root));

/** What ships: bundles. To be run with `process.execPath`. */
export const BUNDLES = {
  server: at("control-plane/server/dist/server.mjs"),
  agent: at("agents/dist/agent.mjs"),
  sandbox: at("infra/sandbox/dist/sandbox.mjs"),
  region: at("infra/sandbox/dist/region-process.mjs"),
} as const;

const SOURCES: Readonly<Record<keyof typeof BUNDLES, string>> = {
  server: at("control-plane/server/main.ts"),
  agent: at("agents/runtimes/node/agent.ts"),
  sandbox: at("infra/sandbox/main.ts"),
  region: at("infra/sandbox/regions/region-process.ts"),
};

/** As we run ourselves. */
export const ENTRIES = isBundled ? BUNDLES : SOURCES;

/** Loaded before a part's own program where that doesn't watch its supervisor's pipe itself. */
export const STOP_WITH_STDIN = at("control-plane/cli/up/stop-with-stdin.mjs");

/** Not bundled: what runs is the very file that is there to be read, with a package that its reader would install. */
export const EXAMPLE_HOOK = {
  program: at("docs/example/hooks/promote-standby.mjs"),
  packages: at("infra/sandbox/use-own-packages.mjs"),
} as const;

/** The built dashboard, or null where it was not built. */
export const dashboardFolder = (): string | null => {
  const folder = at("dashboard/dist/site");
  return existsSync(`${folder}/index.html`) ? folder : null;
};

/** Where `npm start` keeps everything. */
export const CLONE_HOME = at(".regent");
