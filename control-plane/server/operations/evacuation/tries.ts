/** Services that couldn't be asked, and when they are asked again. A new leader begins anew with each: it may reach what the last one couldn't. */
import { EVACUATION_RETRY_MS, EVACUATION_RETRY_MS_MAX, EVACUATION_SERVICE_MS_MAX } from "../../limits.ts";

interface Tried {
  readonly since: number;
  readonly count: number;
  readonly nextAt: number;
}

export interface Tries {
  /** `now` is monotonic, in ms, here and below. */
  readonly isDue: (evacuation: string, service: string, now: number) => boolean;
  /** Answers whether it has been tried for long enough. */
  readonly note: (evacuation: string, service: string, now: number) => boolean;
  readonly forget: (evacuation: string) => void;
}

export const createTries = (): Tries => {
  const byEvacuation = new Map<string, Map<string, Tried>>();
  return {
    isDue: (evacuation, service, now) => (byEvacuation.get(evacuation)?.get(service)?.nextAt ?? Number.NEGATIVE_INFINITY) <= now,
    note: (evacuation, service, now) => {
      const services = byEvacuation.get(evacuation) ?? new Map<string, Tried>();
      byEvacuation.set(evacuation, services);
      const { since, count } = services.get(service) ?? { since: now, count: 0 };
      const waitMs = Math.min(EVACUATION_RETRY_MS_MAX, EVACUATION_RETRY_MS * 2 ** count);
      services.set(service, { since, count: count + 1, nextAt: now + waitMs });
      return now - since >= EVACUATION_SERVICE_MS_MAX;
    },
    forget: (evacuation) => void byEvacuation.delete(evacuation),
  };
};
