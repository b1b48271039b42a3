/** Entry of the `regent` command. Started by bin/regent.mjs, as a bundle or as it stands here. */
import { createInterface } from "node:readline";
import type { Terminal } from "./context.ts";
import { runCommand } from "./program.ts";

/** The question goes to stderr: stdout may be a file. */
const ask = (question: string): Promise<string | null> =>
  new Promise((resolve) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    lines.once("close", () => resolve(null));
    lines.question(question, (answer) => {
      resolve(answer);
      lines.close();
    });
  });

const terminal: Terminal = {
  env: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isInteractive: process.stdout.isTTY === true && process.env.TERM !== "dumb",
  ...(process.stdin.isTTY === true && process.stderr.isTTY === true ? { ask } : {}),
  columns: () => process.stdout.columns ?? 120,
  rows: () => process.stdout.rows ?? 40,
};

// `regent history | head` closes the pipe early; that is no error of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

const exitCode = await runCommand(process.argv.slice(2), terminal);
// Ended here, because a stdin that was read keeps the process; written out first, because a pipe may still hold what was printed.
process.stdout.write("", () => process.exit(exitCode));
