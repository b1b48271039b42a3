import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { STOP_WITH_STDIN } from "../entries.ts";
import { createPart, type Part, type PartView } from "./part.ts";
import { isAlive } from "./state.ts";

let folder: string;
let part: Part | undefined;
let views: PartView[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "part-"));
  views = [];
});

afterEach(async () => {
  await part?.stop();
  await rm(folder, { recursive: true, force: true });
});

const run = (program: string): Part => {
  const spec = () => ({ name: "it", command: ["-e", program], env: {}, logFile: join(folder, "it.log"), saysReady: true });
  part = createPart("it", { spec, onChange: (view) => views.push(view) });
  return part;
};

const until = async (isRight: () => boolean): Promise<void> => {
  const deadline = performance.now() + 5_000;
  while (!isRight()) {
    if (performance.now() > deadline) throw new Error(`last views: ${JSON.stringify(views.slice(-3))}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

const SERVES = `console.log(JSON.stringify({ ready: true, pid: process.pid })); setInterval(() => undefined, 1000);`;

test("a part that is killed from outside is started again", async () => {
  const it = run(SERVES);
  const first = (await it.start()) as { pid: number };
  process.kill(first.pid, "SIGKILL");
  await until(() => it.view().state === "ready" && it.view().pid !== first.pid);
  expect(it.view()).toMatchObject({ restarts: 1, lastEnd: "SIGKILL" });
});

test("a part that was stopped or killed on purpose stays so until it is started", async () => {
  const it = run(SERVES);
  await it.start();
  for (const end of [it.stop, it.kill]) {
    await end();
    expect(it.view()).toMatchObject({ state: "stopped", pid: null, restarts: 0 });
    await it.start();
    expect(it.view().state).toBe("ready");
  }
});

test("one that does not heed SIGTERM is killed in time", async () => {
  const it = run(`process.on("SIGTERM", () => undefined); ${SERVES}`);
  const { pid } = (await it.start()) as { pid: number };
  await it.stop(200);
  expect(isAlive(pid)).toBe(false);
});

test("a start that fails again and again is told, with where its last words are", async () => {
  const it = run(`console.error("no such zone"); process.exit(3);`);
  await expect(it.start()).rejects.toThrow(`it ended at its start (exit code 3); its log is ${join(folder, "it.log")}`);
  expect(await readFile(join(folder, "it.log"), "utf8")).toContain("no such zone");
});

test("a part without a watch of its own ends when its supervisor is killed", async () => {
  const supervisor = join(folder, "supervisor.mjs");
  const program = `import { spawn } from "node:child_process";
    const child = spawn(process.execPath, ["--import", ${JSON.stringify(STOP_WITH_STDIN)}, "-e", "setInterval(() => undefined, 1000)"], { stdio: ["pipe", "ignore", "ignore"], detached: true });
    console.log(child.pid);`;
  await writeFile(supervisor, program);
  const parent = spawn(process.execPath, [supervisor], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  const pid = Number(line.toString());
  expect(isAlive(pid)).toBe(true);
  parent.kill("SIGKILL");
  await until(() => !isAlive(pid));
});
