/**
 * Standard Webhooks `v1a` framing of a report, and the check of a signed configuration. WebCrypto only.
 *
 * Signed bytes of a report: `id + "." + timestamp + "." + body`, with id `<agent>.<boot>.<sequence>` and the timestamp in whole seconds.
 * Signed bytes of a configuration: `"regent-configuration." + payload`.
 */
import { AgentConfiguration, type SignedConfiguration } from "@regent/contract";
import { fromBase64, toBase64 } from "./base64.ts";
import type { AgentKey, PinnedKey } from "./keys.ts";

export interface Envelope {
  readonly agent: string;
  readonly boot: number;
  readonly sequence: number;
  readonly timestampSeconds: number;
  readonly body: string;
}

export type ReportHeaders = Readonly<
  Record<"content-type" | "webhook-id" | "webhook-timestamp" | "webhook-signature" | "regent-key", string>
>;

export const signReport = async (
  key: AgentKey,
  { agent, boot, sequence, timestampSeconds, body }: Envelope,
): Promise<ReportHeaders> => {
  const id = `${agent}.${boot}.${sequence}`;
  const signature = await key.sign(encoder.encode(`${id}.${timestampSeconds}.${body}`));
  return {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(timestampSeconds),
    "webhook-signature": `v1a,${toBase64(signature)}`,
    "regent-key": key.keyId,
  };
};

export interface ConfigurationPins {
  readonly keys: readonly PinnedKey[];
  readonly agent: string;
  readonly region: string;
  readonly network: string;
  /** `<owner>` or `<owner>/v1/reports`; the owner counts. */
  readonly aud: string;
  /** Highest version taken so far under each key id: a new key starts a new count. */
  readonly versionByKeyId: ReadonlyMap<string, number>;
}

export type ConfigurationRefusal =
  | "unknown-key"
  | "bad-signature"
  | "malformed"
  | "not-newer"
  | "other-agent"
  | "other-place"
  | "other-audience"
  | "duplicate-target";

export type ConfigurationVerdict =
  | { readonly kind: "accepted"; readonly configuration: AgentConfiguration }
  | { readonly kind: "refused"; readonly why: ConfigurationRefusal };

export const verifyConfiguration = async (
  signed: SignedConfiguration,
  pins: ConfigurationPins,
): Promise<ConfigurationVerdict> => {
  const key = pins.keys.find(({ keyId }) => keyId === signed.keyId);
  if (key === undefined) return { kind: "refused", why: "unknown-key" };
  const isGenuine = await key.verify(encoder.encode(`regent-configuration.${signed.payload}`), fromBase64(signed.signature));
  if (!isGenuine) return { kind: "refused", why: "bad-signature" };
  const parsed = AgentConfiguration.safeParse(parseJson(signed.payload));
  if (!parsed.success) return { kind: "refused", why: "malformed" };
  const why = mismatchOf(parsed.data, pins, signed.keyId);
  return why === undefined ? { kind: "accepted", configuration: parsed.data } : { kind: "refused", why };
};

const mismatchOf = (
  configuration: AgentConfiguration,
  pins: ConfigurationPins,
  keyId: string,
): ConfigurationRefusal | undefined => {
  if (configuration.agent !== pins.agent) return "other-agent";
  if (configuration.region !== pins.region || configuration.network !== pins.network) return "other-place";
  if (ownerOf(configuration.aud) !== ownerOf(pins.aud)) return "other-audience";
  if (configuration.version <= (pins.versionByKeyId.get(keyId) ?? 0)) return "not-newer";
  const targets = new Set(configuration.assignments.map(({ target }) => target));
  return targets.size === configuration.assignments.length ? undefined : "duplicate-target";
};

const REPORTS_PATH = "/v1/reports";

export const ownerOf = (aud: string): string => aud.split("/", 1)[0] ?? "";
export const reportAudience = (aud: string): string => `${ownerOf(aud)}${REPORTS_PATH}`;

const encoder = new TextEncoder();

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
