#!/usr/bin/env node
/**
 * What `npx regent` runs. Plain JavaScript for the machine's own Node, which may be too old for everything else: finds a Node that will do,
 * then starts the bundle where it is as new as the sources, or the sources themselves. REGENT_FROM=bundle or sources decides by hand.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const NODE_MIN = [22, 18];
const cli = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(dirname(cli));

const isNewEnough = () => {
  const [major, minor] = process.versions.node.split(".").map(Number);
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
};

/** The bundle lists what it was made of; one source that is younger or gone makes it stale. */
const isBundleFresh = (bundle) => {
  try {
    const madeAt = statSync(bundle).mtimeMs;
    const inputs = JSON.parse(readFileSync(join(cli, "dist", "inputs.json"), "utf8"));
    return inputs.every((input) => statSync(join(root, input)).mtimeMs <= madeAt);
  } catch {
    return false;
  }
};

const chooseEntry = () => {
  const bundle = join(cli, "dist", "regent.mjs");
  const from = process.env.REGENT_FROM;
  if (from === "bundle" || (from !== "sources" && isBundleFresh(bundle))) return bundle;
  return join(cli, "main.ts");
};

/** A spawned Node can't replace us, so signals and the exit code are handed on. */
const handOver = (node, entry) => {
  const child = spawn(node, [entry, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.once("error", (error) => {
    process.stderr.write(`regent: ${node} can't be started: ${error.message}\n`);
    process.exit(1);
  });
  child.once("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
};

const entry = chooseEntry();
const installed = join(root, "node_modules", ".bin", "node");
if (isNewEnough()) {
  process.argv[1] = entry;
  await import(pathToFileURL(entry).href);
} else if (existsSync(installed)) {
  handOver(installed, entry);
} else {
  process.stderr.write(
    `regent: this is Node ${process.versions.node}, and Regent needs ${NODE_MIN.join(".")} or newer; install it, or run \`npm start\` in the clone, which brings its own on Linux.\n`,
  );
  process.exit(1);
}
