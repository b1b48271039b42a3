/** Talks to a region process's control port. Expected failures are values; used by the sandbox's control. */
import type { RegionProcessFault } from "../faults.ts";
import { CONTROL_READ_MS_MAX, REGION_CHANGE_MS_MAX } from "./limits.ts";
import { type RegionMend, RegionState } from "./region-state.ts";

export type RegionAnswer =
  | { readonly kind: "answered"; readonly state: RegionState }
  /** Nobody answers the control port: the process is not running, or hangs. */
  | { readonly kind: "unreachable"; readonly why: string }
  /** The process answered that it could not. */
  | { readonly kind: "refused"; readonly why: string };

export interface RegionClient {
  readonly read: () => Promise<RegionAnswer>;
  readonly break: (fault: RegionProcessFault) => Promise<RegionAnswer>;
  readonly mend: (mend: RegionMend) => Promise<RegionAnswer>;
  readonly rebuildStandby: () => Promise<RegionAnswer>;
}

/** @param port control port of the region process on 127.0.0.1 */
export const createRegionClient = ({ port, token }: { readonly port: number; readonly token: string }): RegionClient => {
  const call = async (path: string, timeoutMs: number, body?: object): Promise<RegionAnswer> => {
    try {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method: body === undefined ? "GET" : "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const answer: unknown = await response.json();
      if (response.ok) return { kind: "answered", state: RegionState.parse(answer) };
      return { kind: "refused", why: (answer as { detail?: string }).detail ?? `answered ${response.status}` };
    } catch (error) {
      return { kind: "unreachable", why: reasonOf(error) };
    }
  };
  return {
    read: () => call("/v1/region", CONTROL_READ_MS_MAX),
    break: (fault) => call("/v1/region/break", REGION_CHANGE_MS_MAX, fault),
    mend: (mend) => call("/v1/region/mend", REGION_CHANGE_MS_MAX, mend),
    rebuildStandby: () => call("/v1/region/rebuild-standby", REGION_CHANGE_MS_MAX, {}),
  };
};

const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error ? (error.cause as { code?: string } | undefined) : undefined;
  return cause?.code ?? (error instanceof Error ? error.message : "no answer");
};
