/** `up.json`: what a running `up` tells the other commands about itself. Holds no secret. */
import * as z from "zod";
import { type Home, readText } from "./home.ts";

export const PartViewFile = z.object({
  name: z.string(),
  state: z.enum(["starting", "ready", "waiting", "stopping", "stopped"]),
  pid: z.int().nullable(),
  restarts: z.int(),
  lastEnd: z.string().nullable(),
});

export const UpState = z.object({
  pid: z.int(),
  startedAt: z.int(),
  isReady: z.boolean(),
  /** `http://127.0.0.1:port` */
  server: z.string(),
  /** The supervisor's own door. */
  door: z.string(),
  sandbox: z.string(),
  route53: z.string(),
  zones: z.array(z.object({ id: z.string(), name: z.string() })),
  /** `ip:port` */
  nameServers: z.array(z.string()),
  resolver: z.string(),
  parts: z.array(PartViewFile),
});
export type UpState = z.infer<typeof UpState>;

/** null when no `up` has written one, or when the one that did is gone. */
export const readUpState = async (home: Home): Promise<UpState | null> => {
  const text = await readText(home.up);
  if (text === null) return null;
  const parsed = UpState.safeParse(JSON.parse(text));
  return parsed.success && isAlive(parsed.data.pid) ? parsed.data : null;
};

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process lives too.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};
