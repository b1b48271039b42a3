/** Ends the wait for work that may never be answered. The work itself goes on: only its connection knows what became of it. */
import { UNANSWERED } from "./errors.ts";

/** Rejects with the code UNANSWERED after `ms`. */
export const within = async <T>(ms: number, work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unanswered(`No answer within ${ms} ms.`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
};

export const unanswered = (message: string): Error => Object.assign(new Error(message), { code: UNANSWERED });
