/** A command as somebody types it, outside of a terminal: its exit code, and what it prints. */
import { runCommand } from "../program.ts";

export interface Typed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export const runTyped = async (
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  columns = 120,
): Promise<Typed> => {
  let out = "";
  let err = "";
  const code = await runCommand(args, {
    env,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    isInteractive: false,
    columns: () => columns,
    rows: () => 40,
  });
  return { code, out, err };
};
