/** What an HTTP answer means. Pure: the exchange is in `http.ts`. */
import type { HttpProbe, Reason } from "@regent/contract";

export interface HttpAnswer {
  readonly code: number;
  /** Names in lower case, as Node gives them. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export type HttpFinding = { readonly outcome: "ok" } | { readonly outcome: "fail" | "unknown"; readonly reason: Reason };

/**
 * The head alone, in this order: a challenge by a firewall (we were not let through, so nothing is known of the service), another
 * region's answer, an edge that could not reach the service, the code, a missing region header.
 */
export const judgeHead = ({ code, headers }: HttpAnswer, probe: Pick<HttpProbe, "codes" | "regionHeader">): HttpFinding => {
  if (headers["cf-mitigated"] !== undefined) return { outcome: "unknown", reason: "blocked" };
  const region = probe.regionHeader === undefined ? undefined : headers[probe.regionHeader.name.toLowerCase()];
  if (region !== undefined && region !== probe.regionHeader?.value) return { outcome: "fail", reason: "wrong_region" };
  if (!isAccepted(code, probe.codes)) return { outcome: "fail", reason: isEdgeError(code, headers) ? "edge_52x" : "http_status" };
  if (probe.regionHeader !== undefined && region === undefined) return { outcome: "fail", reason: "header_mismatch" };
  return { outcome: "ok" };
};

/** `codes` holds "200" or "200-399". */
export const isAccepted = (code: number, codes: readonly string[]): boolean =>
  codes.some((range) => {
    const [low, high = low] = range.split("-").map(Number);
    return code >= low! && code <= high!;
  });

const isEdgeError = (code: number, headers: HttpAnswer["headers"]): boolean =>
  code >= 520 && code <= 530 && (headers["cf-ray"] !== undefined || headers.server === "cloudflare");
