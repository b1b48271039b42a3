/** What `npm test` and `npm run check` do once the packages are there: every section runs, even after one failed, and the last line sums up. */
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const bin = (name: string): string => join(root, "node_modules", ".bin", name);

interface Section {
  readonly title: string;
  readonly why: string;
  readonly args: readonly string[];
}

const TYPES: Section = { title: "types", why: "tsc over all packages", args: [bin("tsc"), "-b"] };
const LINT: Section = {
  title: "lint",
  why: "biome: rules and format",
  args: [bin("biome"), "check", "--diagnostic-level=warn", "."],
};
const UNUSED: Section = { title: "unused", why: "knip: files and dependencies", args: [bin("knip")] };
const TIDY: Section = {
  title: "tidy",
  why: "arrows, purity, names, paths",
  args: [bin("vitest"), "run", "--project", "repository"],
};
const VITEST = [bin("vitest"), "run"];
const SUITES: Section = {
  title: "suites",
  why: "vitest, package by package",
  args: [...VITEST, "--project", "!e2e", "--project", "!main-job"],
};
// It starts all of Regent and holds it to its times: beside other suites it would measure them.
const MAIN_JOB: Section = {
  title: "main job",
  why: "the command, and all of Regent end to end",
  args: [...VITEST, "--project", "main-job"],
};
// Mostly waiting, for leases that run out and for processes that were killed: two files at a time.
const E2E: Section = {
  title: "end to end",
  why: "what breaks in production, on real processes",
  args: [...VITEST, "--project", "e2e", "--maxWorkers", "2"],
};

interface Result {
  readonly title: string;
  readonly isPassed: boolean;
  readonly seconds: number;
}

let current: ReturnType<typeof spawn> | undefined;
let stoppedBy: NodeJS.Signals | undefined;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => {
    stoppedBy = signal;
    // Ctrl-C in a terminal has reached the child already.
    if (signal !== "SIGINT" || !process.stdin.isTTY) current?.kill(signal);
  });

const runSection = ({ title, why, args }: Section): Promise<Result> => {
  process.stdout.write(`\n== ${title} (${why})\n`);
  const started = performance.now();
  return new Promise((done) => {
    const end = (isPassed: boolean): void => done({ title, isPassed, seconds: (performance.now() - started) / 1_000 });
    const [script = "", ...rest] = args;
    // Biome's entry is a script too, so one way of starting serves all: the same Node that runs this file.
    current = spawn(process.execPath, [script, ...rest], { cwd: root, stdio: "inherit" });
    current.on("error", (error) => {
      process.stderr.write(`${error.message}\n`);
      end(false);
    });
    current.on("exit", (code) => end(code === 0));
  });
};

const main = async (given: readonly string[]): Promise<number> => {
  const isChecksOnly = given[0] === "--only-checks";
  const args = isChecksOnly ? given.slice(1) : given;
  // With arguments somebody is after one suite and wants its answer soon.
  const isNarrowed = !isChecksOnly && args.length > 0;
  const sections = isNarrowed
    ? [{ ...SUITES, why: `vitest ${args.join(" ")}`, args: [...VITEST, ...args] }]
    : [TYPES, LINT, UNUSED, ...(isChecksOnly ? [TIDY] : [SUITES, MAIN_JOB, E2E])];
  const results: Result[] = [];
  for (const section of sections) {
    if (stoppedBy === undefined) results.push(await runSection(section));
  }
  const failed = results.filter(({ isPassed }) => !isPassed);
  const parts = results.map(
    ({ title, isPassed, seconds }) => `${title} ${isPassed ? "passed" : "FAILED"} ${seconds.toFixed(1)} s`,
  );
  const verdict = stoppedBy ? `stopped by ${stoppedBy}` : failed.length === 0 ? "passed" : "FAILED";
  process.stdout.write(`\nregent ${verdict}: ${parts.join(", ")}${isNarrowed ? " (only what the arguments chose)" : ""}\n`);
  return stoppedBy ? 130 : failed.length === 0 ? 0 : 1;
};

process.exitCode = await main(process.argv.slice(2));
