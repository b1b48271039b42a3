/** What every command works with: the home, the server's address and token, where to print. Options win over the environment over the home. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createSandboxClient, type SandboxAnswer, type SandboxClient } from "@regent/sandbox/control-client.ts";
import { type Client, type ClientAnswer, createClient, type ProblemAnswer } from "@regent/server/http/client.ts";
import type { Command } from "commander";
import { CommandFailure, EXIT, type ExitCode } from "./exit-codes.ts";
import { toMove } from "./format/move.ts";
import { createPaint, type Paint } from "./format/paint.ts";
import { type Home, homeAt, homeFolder, readText } from "./up/home.ts";
import { readUpState, type UpState } from "./up/state.ts";

/** Where a command reads and writes; tests give their own. */
export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether stdout is a terminal that can be redrawn. */
  readonly isInteractive: boolean;
  /** Asks whoever sits there, and answers what they type; null when they end it. Absent where nobody does. */
  readonly ask?: (question: string) => Promise<string | null>;
  readonly columns: () => number;
  readonly rows: () => number;
}

export interface CommonOptions {
  readonly home?: string;
  readonly url?: string;
  readonly json?: boolean;
}

export interface Context {
  readonly terminal: Terminal;
  readonly home: Home;
  readonly paint: Paint;
  readonly isJson: boolean;
  /** Lines for a person, or one JSON value for a program: whichever was asked for. */
  readonly print: (value: unknown, lines: () => readonly string[]) => void;
  /** Base URL of the server: option, environment, or what the home says. */
  readonly serverUrl: () => Promise<string>;
  readonly connect: () => Promise<Client>;
  readonly sandbox: () => Promise<SandboxClient>;
  readonly up: () => Promise<UpState | null>;
}

export const withCommon = (command: Command): Command =>
  command
    .option("--home <dir>", "home of the installation (REGENT_HOME, else the clone's .regent, else ~/.regent)")
    .option("--url <url>", "address of the server (REGENT_URL, else the home's)")
    .option("--json", "one JSON value on stdout instead of text");

export const createContext = (terminal: Terminal, options: CommonOptions): Context => {
  const home = homeAt(homeFolder(options.home, terminal.env));
  const isJson = options.json === true;
  const hasColour = terminal.isInteractive && !terminal.env.NO_COLOR && !isJson;
  const serverUrl = async (): Promise<string> => options.url ?? (terminal.env.REGENT_URL || (await urlFrom(home)));
  return {
    terminal,
    home,
    paint: createPaint(hasColour),
    isJson,
    print: (value, lines) => {
      const text = isJson ? JSON.stringify(value, null, 2) : lines().join("\n");
      if (text !== "") terminal.out(`${text}\n`);
    },
    serverUrl,
    connect: async () => {
      const url = await serverUrl();
      const token = terminal.env.REGENT_TOKEN || (await readText(home.adminToken).catch(() => null))?.trim() || null;
      return createClient({ url, token });
    },
    sandbox: async () => {
      const state = await readUpState(home);
      const token = await readText(home.sandboxToken);
      if (state === null || token === null) throw notRunning(home);
      return createSandboxClient({ url: state.sandbox, token: token.trim() });
    },
    up: () => readUpState(home),
  };
};

export const notRunning = (home: Home): CommandFailure =>
  new CommandFailure(
    EXIT.unreachable,
    `No \`regent up\` runs with the home ${home.folder}. Start one, or name another with --home or REGENT_HOME.`,
  );

const urlFrom = async ({ server, folder }: Home): Promise<string> => {
  const text = await readText(server);
  const url = text === null ? undefined : (JSON.parse(text) as { readonly url?: unknown }).url;
  if (typeof url === "string") return url;
  throw new CommandFailure(
    EXIT.unreachable,
    `No server is known in ${folder}. Start one with \`regent up\`, or name its address with --url or REGENT_URL.`,
  );
};

/** The value, or the failure with the exit code that its kind has. */
export const need = <T>(answer: ClientAnswer<T>, paint: Paint): T => {
  switch (answer.kind) {
    case "ok":
      return answer.value;
    case "unreachable":
      throw new CommandFailure(EXIT.unreachable, `The server can't be reached: ${answer.why}`);
    case "problem":
      throw new CommandFailure(exitCodeOf(answer.problem), problemText(answer.problem, paint));
  }
};

const exitCodeOf = ({ status, type }: ProblemAnswer): ExitCode => {
  if (status === 404) return EXIT.notFound;
  if (status === 503) return EXIT.unreachable;
  return status === 400 || type.endsWith("/invalid-configuration") ? EXIT.usage : EXIT.refused;
};

/** `regent.yaml:12:15 services[0].zone: unknown zone; did you mean …?`, one line for each error. */
export const problemText = ({ title, detail, errors = [], answer }: ProblemAnswer, paint: Paint, fileName?: string): string =>
  [
    detail === undefined ? title : `${title}: ${detail}`,
    ...errors.map(({ path, message, line, column, suggestion }) => {
      const place = fileName === undefined || line === undefined ? "" : `${fileName}:${line}:${column ?? 1} `;
      return `${place}${path === "" ? "" : `${path}: `}${message}${suggestion === undefined ? "" : `; ${suggestion}`}`;
    }),
    ...(answer === undefined ? [] : toMove(answer, paint)),
  ].join("\n");

export const needSandbox = <T>(answer: SandboxAnswer<T>): T => {
  switch (answer.kind) {
    case "answered":
      return answer.value;
    case "unreachable":
      throw new CommandFailure(EXIT.unreachable, `The sandbox can't be reached: ${answer.why}`);
    case "refused": {
      const code = answer.code === 404 ? EXIT.notFound : answer.code === 400 || answer.code === 422 ? EXIT.usage : EXIT.refused;
      throw new CommandFailure(code, answer.detail);
    }
  }
};

export const readGiven = async (path: string): Promise<string> => {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new CommandFailure(EXIT.usage, `${path} can't be read: ${(error as NodeJS.ErrnoException).code ?? "unknown"}`);
  }
};

export const logOf = (home: Home, part: string): string => join(home.logs, `${part}.log`);
