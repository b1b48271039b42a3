/** Makes what ships: the bundled programs and the dashboard's site. `--if-changed` leaves alone what is as new as its sources. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const at = (path: string): string => join(root, path);

/** Younger than this means that packages changed, and with them what was built from them. */
const INSTALLED = "node_modules/.regent-setup";

interface Product {
  readonly name: string;
  readonly made: string;
  /** All that it is made of; may throw when it was never made. */
  readonly sources: () => readonly string[];
  readonly args: readonly string[];
  readonly cwd: string;
}

const listTree = (folder: string): readonly string[] =>
  readdirSync(at(folder), { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === "dist" || entry.name === "node_modules") return [];
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? listTree(path) : [path];
  });

const BUNDLES = "control-plane/cli/dist/inputs.json";

const PRODUCTS: readonly Product[] = [
  {
    name: "programs",
    made: BUNDLES,
    // The bundler lists what it read: a file that nothing imports changes nothing.
    sources: () => ["control-plane/cli/bundle.mjs", ...(JSON.parse(readFileSync(at(BUNDLES), "utf8")) as string[])],
    args: ["control-plane/cli/bundle.mjs"],
    cwd: root,
  },
  {
    name: "dashboard",
    made: "dashboard/dist/site/.vite/manifest.json",
    sources: () => ["dashboard", "control-plane/contract", "control-plane/engine"].flatMap(listTree),
    args: [at("dashboard/node_modules/.bin/vite"), "build", "--logLevel", "warn"],
    cwd: at("dashboard"),
  },
];

const madeAt = (path: string): number => statSync(at(path)).mtimeMs;

const isFresh = ({ made, sources }: Product): boolean => {
  try {
    const since = madeAt(made);
    const installed = statSync(at(INSTALLED), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    return installed <= since && sources().every((path) => madeAt(path) <= since);
  } catch {
    return false;
  }
};

const isLazy = process.argv.includes("--if-changed");
for (const product of PRODUCTS) {
  if (isLazy && isFresh(product)) continue;
  const started = performance.now();
  const { status, signal } = spawnSync(process.execPath, product.args, { cwd: product.cwd, stdio: "inherit" });
  if (status !== 0) {
    process.stderr.write(`regent: building the ${product.name} failed${signal ? ` (${signal})` : ""}\n`);
    process.exit(status ?? 1);
  }
  process.stderr.write(`regent: built the ${product.name} in ${((performance.now() - started) / 1_000).toFixed(1)} s\n`);
}
