/**
 * How a service is declared, and since when: what the rules ask that rest on our own releases. Pure. The first declaration that is seen has no
 * beginning; another one begins now, and is written down with the next decision.
 */
import { createHash } from "node:crypto";
import type { Instant } from "@regent/contract";
import type { ServiceSpec } from "@regent/engine";
import { toStableText } from "../../configuration/stable-text.ts";
import type { Declared, ServiceRecord } from "../../ports/decision-store.ts";

/** Who tries one thing after the other in an outage applies as many within minutes. */
const EARLIER_MAX = 4;

/** The same object as remembered when nothing is to be written down. */
export const declaredNow = (
  { declared }: Pick<ServiceRecord, "declared">,
  spec: ServiceSpec,
  { version, now }: { readonly version: number; readonly now: Instant },
): Declared => {
  const digest = digestOf(spec);
  if (declared?.digest === digest) return declared;
  if (declared === null) return { digest, since: null };
  const earlier = releasesOf(declared).slice(0, EARLIER_MAX);
  return { digest, since: now, version, ...(earlier.length > 0 ? { earlier } : {}) };
};

/** When this service was declared anew, the newest in front. */
export const releasesOf = ({ since, version, earlier = [] }: Declared): NonNullable<Declared["earlier"]> =>
  since === null ? earlier : [{ at: since, ...(version === undefined ? {} : { version }) }, ...earlier];

/** A spec is made once per configuration, and asked for at every look. */
const digests = new WeakMap<ServiceSpec, string>();

const digestOf = (spec: ServiceSpec): string => {
  const known = digests.get(spec);
  if (known !== undefined) return known;
  const digest = createHash("sha256").update(toStableText(spec)).digest("hex").slice(0, 16);
  digests.set(spec, digest);
  return digest;
};
