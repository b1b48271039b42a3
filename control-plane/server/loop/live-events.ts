/** Tells whoever listens that something a person looks at has changed. */
import type { LiveEvent } from "@regent/contract";
import type { Logger } from "pino";
import type { Clock } from "../ports/clock.ts";

export interface LiveEvents {
  /** Of these services; without any, of the whole. */
  readonly emit: (services?: readonly string[]) => void;
  readonly subscribe: (listener: (event: LiveEvent) => void) => () => void;
}

export const createLiveEvents = ({ clock, log }: { readonly clock: Clock; readonly log: Logger }): LiveEvents => {
  const listeners = new Set<(event: LiveEvent) => void>();

  /** Who listens can't undo a commit by throwing. */
  const tell = (listener: (event: LiveEvent) => void, event: LiveEvent): void => {
    try {
      listener(event);
    } catch (error) {
      log.warn({ err: error }, "a listener failed");
    }
  };

  return {
    emit: (services = []) => {
      const at = clock.now();
      for (const service of services.length > 0 ? services : [null])
        for (const listener of listeners) tell(listener, { kind: "overview", at, service });
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
