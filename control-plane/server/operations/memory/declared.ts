/**
 * How a service is declared, and since when: what the rules ask that rest on our own releases. Pure. The first declaration that is seen has no
 * beginning; another one begins now, and is written down with the next decision.
 */
import { createHash } from "node:crypto";
import type { Instant } from "@regent/contract";
import type { ServiceSpec } from "@regent/engine";
import type { Declared, ServiceRecord } from "../../ports/decision-store.ts";

/** The same object as remembered when nothing is to be written down. */
export const declaredNow = ({ declared }: Pick<ServiceRecord, "declared">, spec: ServiceSpec, now: Instant): Declared => {
  const digest = digestOf(spec);
  if (declared?.digest === digest) return declared;
  return { digest, since: declared === null ? null : now };
};

/** A spec is made once per configuration, and asked for at every look. */
const digests = new WeakMap<ServiceSpec, string>();

const digestOf = (spec: ServiceSpec): string => {
  const known = digests.get(spec);
  if (known !== undefined) return known;
  const digest = createHash("sha256").update(toStableText(spec)).digest("hex").slice(0, 16);
  digests.set(spec, digest);
  return digest;
};

/** JSON in which the order of keys says nothing; that of lists does. */
const toStableText = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
