/**
 * One question for all changes of one batch: they were accepted together and are in sync together. Two hundred services that moved in eight
 * batches cost eight calls a look, not two hundred.
 */
import type { ChangeProgress, DnsProvider } from "../../ports/dns-provider.ts";

/** An answer as old as this serves the others of its batch, which ask within moments of each other. */
const SHARED_MS = 2_000;
/** Batches remembered; the oldest is forgotten first. */
const BATCHES_MAX = 1_000;

export const shareProgress = (provider: Pick<DnsProvider, "readChange">, monotonic: () => number): DnsProvider["readChange"] => {
  const asked = new Map<string, { readonly at: number; readonly answer: Promise<ChangeProgress> }>();
  return (changeInfoId) => {
    const known = asked.get(changeInfoId);
    if (known && monotonic() - known.at < SHARED_MS) return known.answer;
    const answer = provider.readChange(changeInfoId);
    asked.delete(changeInfoId);
    asked.set(changeInfoId, { at: monotonic(), answer });
    if (asked.size > BATCHES_MAX) asked.delete(asked.keys().next().value ?? "");
    return answer;
  };
};
