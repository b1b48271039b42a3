/**
 * The first thing that runs in a clone: `npm start`, `npm test` and the others come here. It may use only what the machine's own Node has,
 * because nothing is installed yet: it checks the machine, installs when needed, then hands over to the Node that the lock file names.
 * Plain JavaScript for that reason; everything behind the handover is TypeScript.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const stampFile = join(modules, ".regent-setup");

/** Reads every lock file of this format and itself runs on Node 20 (11 and 12 don't). */
const PNPM = "pnpm@10.34.9";
/** npm 10 comes with Node 20; older machines lack what the installer needs. */
const OWN_NODE = [20, 0];
/** The first Node of the 22 line that runs TypeScript without a flag: needed where no Node comes with the packages. */
const RUNNING_NODE = [22, 18];

/** Asking for a process id costs nothing; half a second is soon enough to end. */
const PARENT_LOOK_MS = 500;

const fail = (line) => {
  process.stderr.write(`regent: ${line}\n`);
  process.exit(1);
};

const isAtLeast = (version, [major, minor]) => {
  const [a, b] = version.split(".").map(Number);
  return a > major || (a === major && b >= minor);
};

/** Linux gets its Node from the packages; elsewhere the machine's own must do. */
const bringsItsNode = process.platform === "linux" && (process.arch === "x64" || process.arch === "arm64");

const checkMachine = () => {
  if (process.platform === "win32") fail("runs on Linux and macOS; on Windows use WSL");
  const needed = bringsItsNode ? OWN_NODE : RUNNING_NODE;
  if (!isAtLeast(process.versions.node, needed))
    fail(`needs Node ${needed.join(".")} or newer to begin, and this is Node ${process.versions.node}`);
};

/** Under `npm run` npm names its own file, so no shell and no search is needed; else `npx` must be on the PATH. */
const installer = () => {
  const npm = process.env.npm_execpath;
  if (npm?.endsWith("npm-cli.js")) return [process.execPath, [npm, "exec", "--yes", "--", PNPM]];
  if (spawnSync("npx", ["--version"], { stdio: "ignore" }).status !== 0)
    fail("needs npm (it comes with Node) and can't find npx");
  return ["npx", ["-y", PNPM]];
};

/** What decides the content of node_modules, besides the machine. */
const fingerprint = () => {
  const hash = createHash("sha256").update(`${PNPM} ${process.platform} ${process.arch}`);
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", ".pnpmfile.cjs"]) hash.update(readFileSync(join(root, file)));
  return hash.digest("hex");
};

const isInstalled = (print) => existsSync(stampFile) && readFileSync(stampFile, "utf8") === print;

const install = () => {
  const print = fingerprint();
  if (isInstalled(print)) return;
  process.stderr.write("regent: installing packages (once for each lock file; about a minute the first time)\n");
  const [command, args] = installer();
  const result = spawnSync(command, [...args, "install", "--frozen-lockfile", "--config.confirmModulesPurge=false"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (result.error) fail(`could not start the installer: ${result.error.message}`);
  if (result.signal) process.kill(process.pid, result.signal);
  if (result.status !== 0) fail(`the installation failed (exit ${result.status}); its own words stand above`);
  // Written last, so that an interrupted installation is repeated.
  writeFileSync(stampFile, print);
};

const findNode = () => {
  const packaged = join(modules, ".bin", "node");
  // The packaged Node is built for glibc: on musl it is there and doesn't run.
  if (bringsItsNode && spawnSync(packaged, ["--version"], { stdio: "ignore" }).status === 0) return packaged;
  if (isAtLeast(process.versions.node, RUNNING_NODE)) return process.execPath;
  return fail(`the packaged Node doesn't run here; needs an own Node ${RUNNING_NODE.join(".")} or newer`);
};

const build = ".ci/build.ts";

/** Scripts run one after the other; the last one gets the caller's arguments. */
const commands = {
  start: {
    scripts: [
      [build, "--if-changed"],
      ["control-plane/cli/bin/regent.mjs", "up"],
    ],
    env: { REGENT_HOME: join(root, ".regent") },
  },
  test: { scripts: [[".ci/test.ts"]] },
  check: { scripts: [[".ci/test.ts", "--only-checks"]] },
  bench: {
    scripts: [[build, "--if-changed"], ["control-plane/cli/bench/main.ts"]],
  },
  build: { scripts: [[build]] },
};

/** A killed npm can't hand its signal on: with nobody above us left, what we started must not stay behind. */
const watchForNpm = (onGone) => {
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  return setInterval(() => process.ppid !== parent && onGone(), PARENT_LOOK_MS);
};

/** Runs one script in the foreground: same terminal, its exit code, our signals. */
const run = (node, script, args, env) =>
  new Promise((resolve) => {
    const child = spawn(node, [join(root, script), ...args], { cwd: root, stdio: "inherit", env });
    const forward = (signal) => {
      // A terminal sends Ctrl-C to the whole group: the child has it already, and a second one means "at once" to many programs.
      if (signal === "SIGINT" && process.stdin.isTTY) return;
      child.kill(signal);
    };
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const signal of signals) process.on(signal, forward);
    const watch = watchForNpm(() => child.kill("SIGTERM"));
    child.on("error", (error) => fail(`could not start ${script}: ${error.message}`));
    child.on("exit", (code, signal) => {
      for (const name of signals) process.off(name, forward);
      clearInterval(watch);
      resolve({ code, signal });
    });
  });

const main = async ([name = "", ...args]) => {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) fail(`knows ${Object.keys(commands).join(", ")}; not "${name}"`);
  checkMachine();
  install();
  const node = findNode();
  const path = [join(modules, ".bin"), process.env.PATH].filter(Boolean).join(delimiter);
  const env = { ...process.env, PATH: path, ...command.env };
  const { scripts } = command;
  for (const [index, [script, ...fixed]] of scripts.entries()) {
    const given = index === scripts.length - 1 ? args : [];
    const { code, signal } = await run(node, script, [...fixed, ...given], env);
    if (signal) process.kill(process.pid, signal);
    if (code !== 0) process.exit(code ?? 1);
  }
};

await main(process.argv.slice(2));
