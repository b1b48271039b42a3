/**
 * Between one control plane and its ports: what a test wants to go wrong there. A dead process is one whose calls never come back; a database
 * that is away refuses every call; and a test may stand around any call to hold it, to lose its answer, or to act at exactly that moment.
 */
import { DatabaseAway } from "../ports/database-away.ts";

export interface PortCall {
  /** `decisions.commit`, `dns.send`, … */
  readonly name: string;
  readonly args: readonly unknown[];
}

export type Around = (call: PortCall, proceed: () => Promise<unknown>) => Promise<unknown>;

export interface Faults {
  isDatabaseAway: boolean;
  /** No canary answers. */
  isCutOff: boolean;
  /** Like `kill -9`: what was asked for may have happened, and nobody hears of it any more. */
  isDead: boolean;
  around: Around;
}

export const noFaults = (): Faults => ({
  isDatabaseAway: false,
  isCutOff: false,
  isDead: false,
  around: (_, proceed) => proceed(),
});

const never = (): Promise<never> => new Promise(() => undefined);

/** The same port, with what stands in `faults` at the moment of each call. Every member of a port is asynchronous. */
export const withFaults = <T extends object>(name: string, port: T, faults: Faults): T =>
  new Proxy(port, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== "function") return member;
      return async (...args: unknown[]): Promise<unknown> => {
        const call = { name: `${name}.${String(key)}`, args };
        if (faults.isDead) return never();
        if (faults.isDatabaseAway && name !== "dns") throw new DatabaseAway("ECONNREFUSED", null);
        const answer = await faults.around(call, async () => {
          if (faults.isDead) return never();
          return Reflect.apply(member, target, args);
        });
        return faults.isDead ? never() : answer;
      };
    },
  });
