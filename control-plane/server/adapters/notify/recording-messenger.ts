/** A messenger that keeps what it is told, for tests and simulation: with the real ones' sharp edges, as a test asks for them. */
import type { Messenger, Notice, SendResult } from "../../ports/notifier.ts";

export interface Recorded {
  readonly notifier: string;
  readonly notice: Notice;
}

export interface RecordingMessenger extends Messenger {
  /** What receivers took, in the order in which they took it; doubles included. */
  readonly taken: readonly Recorded[];
  readonly beats: () => number;
  /** What a receiver answers instead of taking it; null: it takes it. A promise is a receiver that is slow. */
  answer: (notifier: string, notice: Notice) => SendResult | Promise<SendResult> | null;
}

export const createRecordingMessenger = (): RecordingMessenger => {
  const taken: Recorded[] = [];
  let beats = 0;
  const messenger: RecordingMessenger = {
    taken,
    beats: () => beats,
    answer: () => null,
    open: ({ id }) => ({
      send: async (notice) => {
        const answer = await messenger.answer(id, notice);
        if (answer !== null && answer.kind !== "taken") return answer;
        taken.push({ notifier: id, notice });
        return { kind: "taken" };
      },
    }),
    beat: async () => {
      beats += 1;
      return { kind: "taken" };
    },
  };
  return messenger;
};
