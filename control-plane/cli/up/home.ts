/**
 * `$REGENT_HOME`: where everything of one installation lies. Mode 0700, secrets in files of mode 0600. Holds the paths, and what the commands of a
 * running `up` read from it.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { CLONE_HOME } from "../entries.ts";

export interface Home {
  readonly folder: string;
  readonly configuration: string;
  readonly ports: string;
  /** State of a running `up`: pids, ports, addresses. */
  readonly up: string;
  /** Written by the server: its address. */
  readonly server: string;
  readonly adminToken: string;
  /** Opens the sandbox's control, the regions' and the supervisor's own door. */
  readonly sandboxToken: string;
  /** Keys of the sandbox's Route 53. */
  readonly aws: string;
  readonly probePassword: string;
  readonly logs: string;
  /** A secret that the configuration names as a file. */
  readonly serverSecret: (name: string) => string;
  /** Of a home with a pair of databases. */
  readonly pair: { readonly ownerPassword: string; readonly hookPassword: string; readonly hookSettings: string };
  readonly agent: (id: string) => AgentHome;
  readonly region: (id: string) => { readonly folder: string; readonly config: string };
  readonly sandbox: { readonly folder: string; readonly config: string };
}

export interface AgentHome {
  readonly folder: string;
  readonly config: string;
  readonly key: string;
  readonly secrets: string;
  readonly spool: string;
}

/** `--home`, else REGENT_HOME, else the home that `npm start` made in this clone, else ~/.regent. */
export const homeFolder = (given: string | undefined, env: NodeJS.ProcessEnv): string => {
  const named = given ?? (env.REGENT_HOME || undefined);
  if (named !== undefined) return resolve(named);
  return existsSync(join(CLONE_HOME, "ports.json")) ? CLONE_HOME : join(homedir(), ".regent");
};

export const homeAt = (folder: string): Home => {
  const at = (...parts: string[]): string => join(folder, ...parts);
  return {
    folder,
    configuration: at("regent.yaml"),
    ports: at("ports.json"),
    up: at("up.json"),
    server: at("server.json"),
    adminToken: at("admin.token"),
    sandboxToken: at("sandbox.token"),
    aws: at("sandbox-aws.secret"),
    probePassword: at("probe.password"),
    logs: at("logs"),
    serverSecret: (name) => at("secrets", name),
    pair: {
      ownerPassword: at("pair-owner.password"),
      hookPassword: at("pair-hook.password"),
      hookSettings: at("hook.json"),
    },
    agent: (id) => ({
      folder: at("agents", id),
      config: at("agents", id, "agent.json"),
      key: at("agents", id, "key.pem"),
      secrets: at("agents", id, "secrets.json"),
      spool: at("agents", id, "spool"),
    }),
    region: (id) => ({ folder: at("regions", id), config: at("regions", `${id}.json`) }),
    sandbox: { folder: at("sandbox"), config: at("sandbox.json") },
  };
};

/** Files that only a home of ours has; a folder without them is never emptied. */
const MARKS = ["regent.yaml", "ports.json", "sandbox.token"];

/** @returns false when the folder is there, is not empty of marks, and doesn't look like a home */
export const emptyHome = async (home: Home): Promise<boolean> => {
  if (!existsSync(home.folder)) return true;
  if (!MARKS.some((mark) => existsSync(join(home.folder, mark)))) return false;
  await rm(home.folder, { recursive: true, force: true });
  return true;
};

export const makeHome = async (home: Home): Promise<void> => {
  await mkdir(home.folder, { recursive: true, mode: 0o700 });
  await chmod(home.folder, 0o700);
  for (const folder of [home.logs, join(home.folder, "regions"), join(home.folder, "agents"), home.sandbox.folder])
    await mkdir(folder, { recursive: true, mode: 0o700 });
};

/** Readers never see half a file. */
export const writePrivate = async (path: string, text: string): Promise<void> => {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
};

/** The file's content, or a new random secret that it holds from now on. 32 characters. */
export const ensureSecret = async (path: string): Promise<string> => {
  const present = await readText(path);
  if (present !== null && present.trim() !== "") return present.trim();
  const secret = randomBytes(24).toString("base64url");
  await writePrivate(path, `${secret}\n`);
  return secret;
};

/** null when there is no such file. */
export const readText = async (path: string): Promise<string | null> => {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
};
