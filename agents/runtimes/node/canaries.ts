/**
 * Is the agent's own network alive? Dials addresses on other networks by TCP. If every one of them fails, so may every target, and the
 * agent says that it has no voice. Looked at regularly, and at once when a check starts to fail, so that the answer is there before the
 * failures decide. Canaries that the guard blocks say nothing.
 */
import type { ProbeResult } from "../../core/probe-result.ts";
import type { Clock } from "./clock.ts";
import { CANARY_GAP_MS, CANARY_TIMEOUT_MS } from "./limits.ts";

export interface Canaries {
  readonly configure: (addresses: readonly string[], intervalMs: number) => void;
  /** A check has just failed. */
  readonly lookSoon: () => void;
  readonly isHealthy: () => boolean;
  readonly stop: () => void;
}

export interface CanaryDeps {
  readonly clock: Clock;
  readonly dial: (address: string, deadlineMs: number) => Promise<ProbeResult>;
  readonly onChange: (isHealthy: boolean) => void;
}

export const createCanaries = ({ clock, dial, onChange }: CanaryDeps): Canaries => {
  let addresses: readonly string[] = [];
  let isHealthy = true;
  let isLooking = false;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const tell = (next: boolean): void => {
    if (next === isHealthy) return;
    isHealthy = next;
    onChange(next);
  };

  const look = async (): Promise<void> => {
    if (isLooking || addresses.length === 0 || clock.now() - lookedAt < CANARY_GAP_MS) return;
    isLooking = true;
    lookedAt = clock.now();
    const asked = addresses;
    const results = await Promise.all(asked.map((address) => dial(address, CANARY_TIMEOUT_MS)));
    isLooking = false;
    if (asked === addresses) tell(isAlive(results));
  };

  return {
    configure: (next, intervalMs) => {
      addresses = next;
      clearInterval(timer);
      if (next.length === 0) return tell(true);
      timer = setInterval(() => void look(), Math.max(CANARY_GAP_MS, intervalMs));
      void look();
    },
    lookSoon: () => void look(),
    isHealthy: () => isHealthy,
    stop: () => clearInterval(timer),
  };
};

/** One that connects is enough. */
export const isAlive = (results: readonly ProbeResult[]): boolean => {
  const telling = results.filter(({ outcome }) => outcome !== "unknown");
  return telling.length === 0 || telling.some(({ outcome }) => outcome === "ok");
};
