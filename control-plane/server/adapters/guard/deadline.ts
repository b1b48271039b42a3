/** Ends a call after a time, whatever the call does: a body that trickles in doesn't reset it. */

export class DeadlinePassed extends Error {
  override readonly name = "DeadlinePassed";
}

/** Runs `call`; after `ms` aborts it and throws DeadlinePassed. */
export const withinDeadline = async <T>(ms: number, call: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new DeadlinePassed(`no answer within ${ms} ms`));
      controller.abort();
    }, ms);
  });
  try {
    return await Promise.race([call(controller.signal), passed]);
  } finally {
    clearTimeout(timer);
  }
};
