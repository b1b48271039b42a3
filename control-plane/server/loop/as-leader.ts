/** Only who leads acts, and whoever asks while the lead is lost is sent to the next leader. */
import type { NotHere } from "../operations/control-plane.ts";
import { LeadershipLost } from "../operations/memory/ledger.ts";

type NotLeader = Extract<NotHere, { kind: "not-leader" }>;

export interface AsLeader {
  readonly isLeading: () => boolean;
  readonly asLeader: <T>(work: () => Promise<T>) => Promise<T | NotLeader>;
  /** For what was begun while leading. */
  readonly whileLeading: <T>(work: () => Promise<T>) => Promise<T | "not-leader">;
}

export interface AsLeaderDeps {
  readonly isLeading: () => boolean;
  /** The database says that this term doesn't lead any more. */
  readonly onFenced: (term: number) => void;
}

export const createAsLeader = ({ isLeading, onFenced }: AsLeaderDeps): AsLeader => {
  const whileLeading: AsLeader["whileLeading"] = async (work) => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof LeadershipLost)) throw error;
      onFenced(error.term);
      return "not-leader";
    }
  };
  return {
    isLeading,
    whileLeading,
    asLeader: async (work) => {
      if (!isLeading()) return { kind: "not-leader" };
      const result = await whileLeading(work);
      return result === "not-leader" ? { kind: "not-leader" } : result;
    },
  };
};
