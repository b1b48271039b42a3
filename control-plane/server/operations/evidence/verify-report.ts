/**
 * Who sent this report? Signature over the raw bytes before any parsing; then shape; then whether it says it comes from where it may.
 * An unknown agent and a wrong signature get the same answer.
 */
import { type KeyObject, verify } from "node:crypto";
import { type AgentDeclaration, type Instant, REPORT_BYTES_MAX, REPORT_CLOCK_TOLERANCE_SECONDS, Report } from "@regent/contract";
import type { AgentKeys } from "../configuration/agent-keys.ts";

export interface SignedRequest {
  readonly id: string | undefined;
  readonly timestamp: string | undefined;
  readonly signature: string | undefined;
  readonly keyId: string | undefined;
  readonly body: Uint8Array;
}

export type Verified =
  | { readonly kind: "verified"; readonly report: Report }
  | { readonly kind: "too-large" }
  | { readonly kind: "unknown-signer" }
  | { readonly kind: "clock-skew"; readonly seconds: number }
  | { readonly kind: "wrong-place"; readonly why: string }
  | { readonly kind: "invalid-request"; readonly errors: readonly { path: string; message: string }[] };

/** Boots are counted from the agent's clock. One far ahead would make every later boot of that agent look like a replay, for good. */
const BOOT_AHEAD_MS_MAX = 86_400_000;

export const verifyReport = (
  request: SignedRequest,
  { keys, aud, now }: { keys: AgentKeys; aud: string; now: Instant },
): Verified => {
  if (request.body.byteLength > REPORT_BYTES_MAX) return { kind: "too-large" };
  const parts = request.id?.split(".") ?? [];
  const signer = parts.length === 3 && request.keyId ? keys.find(parts[0] ?? "", request.keyId) : null;
  if (!signer || !isSigned(request, signer.key)) return { kind: "unknown-signer" };
  const seconds = Math.round(now / 1000) - Number(request.timestamp);
  if (Math.abs(seconds) > REPORT_CLOCK_TOLERANCE_SECONDS) return { kind: "clock-skew", seconds };
  const parsed = Report.safeParse(parseJson(request.body));
  if (!parsed.success)
    return {
      kind: "invalid-request",
      errors: parsed.error.issues.slice(0, 20).map((i) => ({ path: i.path.join("."), message: i.message })),
    };
  if (parsed.data.boot > now + BOOT_AHEAD_MS_MAX)
    return {
      kind: "invalid-request",
      errors: [
        {
          path: "boot",
          message: "is ahead of this server's clock by more than a day: remove the agent's boot file and set its clock",
        },
      ],
    };
  return checkPlace(parsed.data, parts, signer.declaration, aud);
};

const isSigned = ({ id, timestamp, signature, body }: SignedRequest, key: KeyObject): boolean => {
  if (!id || !timestamp || !signature || !/^[0-9]{1,12}$/.test(timestamp) || signature.length > 1_000) return false;
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  return signature
    .split(" ")
    .slice(0, 2)
    .filter((part) => part.startsWith("v1a,"))
    .some((part) => verify(null, signed, key, Buffer.from(part.slice(4), "base64")));
};

const parseJson = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return undefined;
  }
};

/** The body must say the same as the signed id and as the declaration: one agent can't speak for another, nor for another region. */
const checkPlace = (
  report: Report,
  [agent, boot, sequence]: readonly string[],
  declared: AgentDeclaration,
  aud: string,
): Verified => {
  if (report.agent !== agent || String(report.boot) !== boot || String(report.sequence) !== sequence)
    return { kind: "wrong-place", why: "the signed id and the body name another agent, boot or sequence" };
  if (report.aud !== aud) return { kind: "wrong-place", why: `the report is meant for "${report.aud}", this is "${aud}"` };
  if (report.region !== declared.region || report.network !== declared.network)
    return {
      kind: "wrong-place",
      why: `${agent} is declared in ${declared.region}/${declared.network}, the report says ${report.region}/${report.network}`,
    };
  return { kind: "verified", report };
};
