/** Addresses that stand for the outside: if none of them takes a connection, it is we who are cut off. */
import { connect } from "node:net";

/** `host:port` each. `unknown` without any; one that answers is enough. Never throws. */
export const dialCanaries = async (
  canaries: readonly string[],
  timeoutMs: number,
): Promise<"reached" | "unreached" | "unknown"> => {
  if (canaries.length === 0) return "unknown";
  try {
    await Promise.any(canaries.map((canary) => dial(canary, timeoutMs)));
    return "reached";
  } catch {
    return "unreached";
  }
};

const dial = (canary: string, timeoutMs: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const at = canary.lastIndexOf(":");
    const socket = connect({ host: canary.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(canary.slice(at + 1)) });
    const end = (error?: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    // By hand: the socket's own timeout begins with the dial and not with the look-up of a name.
    const timer = setTimeout(() => end(new Error("no answer")), timeoutMs);
    socket.once("connect", () => end());
    socket.once("error", end);
  });
