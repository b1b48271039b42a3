/** A hook that answers what a test or a simulation wants, with the real one's sharp edges: it may be slow, silent, or have been heard all the same. */
import type { HookAnswer, HookCaller, HookRequest } from "../../ports/hook-caller.ts";

export interface MemoryHook extends HookCaller {
  /** Every request that arrived, in order, doubles included. */
  readonly asked: readonly HookRequest[];
  /** A promise is a hook that is slow; a rejection one that was heard and never answered. */
  answer: (request: HookRequest) => HookAnswer | Promise<HookAnswer>;
  /** Nothing arrives. */
  isAway: boolean;
}

export const createMemoryHook = (): MemoryHook => {
  const asked: HookRequest[] = [];
  const memory: MemoryHook = {
    asked,
    answer: () => ({ answer: "promoted", isFenced: true, why: "" }),
    isAway: false,
    call: async (_, request) => {
      if (memory.isAway) return { answer: "failed", isFenced: null, why: "it could not be reached (ECONNREFUSED)" };
      asked.push(request);
      try {
        return await memory.answer(request);
      } catch {
        return { answer: "failed", isFenced: null, why: "no answer in time" };
      }
    },
  };
  return memory;
};
