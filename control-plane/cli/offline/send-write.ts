/**
 * Sends one offline write, once, and finds out what became of it. An answer that leaves doubt is settled by reading: the epoch record in DNS is ours,
 * is somebody else's, or is still the one that was read; in the last case a copy may arrive for minutes, and that is said.
 */
import type { Observed } from "@regent/engine";
import { SIGNATURE_VALID_MS } from "@regent/engine/plan/outbox.ts";
import type { DnsProvider } from "@regent/server/ports/dns-provider.ts";
import { OFFLINE_LOOK_MS, OFFLINE_LOOKS_MS, OFFLINE_SEND_MS, OFFLINE_SEND_PAUSE_MS } from "../limits.ts";
import type { OfflineWrite } from "./draft-write.ts";
import { lookAt } from "./route53.ts";

export type Sent =
  | { readonly kind: "done"; readonly why: string; readonly now: null }
  /** It isn't in DNS and can't come any more. `now`: what stands instead, as far as it could be read. */
  | { readonly kind: "refused"; readonly why: string; readonly now: Observed | null }
  | { readonly kind: "unknown"; readonly why: string; readonly now: Observed | null }
  /** Its turn never came. */
  | { readonly kind: "not-sent"; readonly why: string; readonly now: null };

export interface SendDeps {
  readonly provider: Pick<DnsProvider, "send" | "readNames" | "readZone">;
  readonly monotonic: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

export const sendWrite = async (deps: SendDeps, write: OfflineWrite): Promise<Sent> => {
  const { provider, monotonic, sleep } = deps;
  const { batch, comment, plan } = write;
  for (const deadline = monotonic() + OFFLINE_SEND_MS; ; ) {
    const result = await provider.send(plan.spec.zoneId, { deletes: batch.deletes, creates: batch.creates, comment });
    switch (result.kind) {
      case "accepted":
        return { kind: "done", why: `Route 53 accepted it as change ${result.changeInfoId}`, now: null };
      case "denied":
        return { kind: "refused", why: `Route 53 denies it: ${result.why}`, now: null };
      case "refused":
        return settle(deps, write, { isRefused: true, why: result.messages.join(" ") });
      case "unknown":
        return settle(deps, write, { isRefused: false, why: result.why });
      case "throttled":
      case "busy":
      case "not-sent":
        // Certainly not applied: it may be sent again.
        if (monotonic() > deadline)
          return { kind: "refused", why: `Route 53 took no change in ${OFFLINE_SEND_MS / 1_000} s (${result.kind})`, now: null };
        await sleep(Math.max(OFFLINE_SEND_PAUSE_MS, result.kind === "not-sent" ? result.nextTryMs : 0));
    }
  }
};

/** Route 53's refusal is final: the batch was sent once. Without an answer, only its epoch record in DNS, or another one, is. */
const settle = async (
  { provider, monotonic, sleep }: SendDeps,
  { plan, epoch }: OfflineWrite,
  { isRefused, why }: { readonly isRefused: boolean; readonly why: string },
): Promise<Sent> => {
  let now: Observed | null = null;
  for (const deadline = monotonic() + OFFLINE_LOOKS_MS; ; await sleep(OFFLINE_LOOK_MS)) {
    const looked = await lookAt(provider, [plan.spec]);
    if (looked.kind === "seen") {
      now = looked.observed.get(plan.spec.id) ?? null;
      if (now?.epoch?.ulid === epoch.ulid) return { kind: "done", why: `its epoch record stands in DNS (${why})`, now: null };
      if (now?.epoch?.ulid !== plan.epoch.ulid) return { kind: "refused", why: "somebody else wrote it first", now };
      if (isRefused) return { kind: "refused", why: `the epoch record is as it was, and Route 53 says: ${why}`, now };
    }
    if (monotonic() < deadline) continue;
    if (isRefused) return { kind: "refused", why: `Route 53 refused it (${why}), and what stands now can't be read`, now };
    return { kind: "unknown", why: `${why}; ${doubtText(now)}`, now };
  }
};

const doubtText = (now: Observed | null): string =>
  `${now === null ? "DNS can't be read" : "DNS is as it was before"}, and the request may still arrive for ${SIGNATURE_VALID_MS / 60_000} minutes. Look again with \`regent offline status\`; to ask for it again is safe, as only one of the two can be accepted`;
