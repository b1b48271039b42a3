/** Kills and starts agents as the sandbox's control wants them: `sandbox break REGION dead --agents` and `sandbox kill-agent` end here. */
import { createSandboxClient } from "@regent/sandbox/control-client.ts";
import type { Part } from "./part.ts";

/** Between two tries to follow a sandbox that is away or was started again. */
const FOLLOW_AGAIN_MS = 300;

export const followWantedAgents = async ({
  url,
  token,
  signal,
  parts,
}: {
  readonly url: string;
  readonly token: string;
  readonly signal: AbortSignal;
  readonly parts: ReadonlyMap<string, Part>;
}): Promise<void> => {
  const client = createSandboxClient({ url, token });
  // What the list said last. A part that somebody stopped through the supervisor's door is not started again by an unchanged line.
  const known = new Map<string, "running" | "killed">();
  while (!signal.aborted) {
    for await (const { agents } of client.followAgents(signal)) {
      for (const { id, wanted } of agents) {
        const part = parts.get(`agent-${id}`);
        const before = known.get(id) ?? "running";
        known.set(id, wanted);
        if (part === undefined || before === wanted || signal.aborted) continue;
        if (wanted === "killed") void part.kill();
        else void part.start().catch(() => undefined);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, FOLLOW_AGAIN_MS));
  }
};
