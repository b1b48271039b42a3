/**
 * Holds a port so that nobody is ever accepted on it.
 *
 * What a client sees: straight to the port its SYN stays unanswered (a dial that times out), as Linux drops what a full accept queue
 * can't take; other systems may complete a few handshakes and then stay silent. Through a link of the sandbox the dial opens, since the
 * link accepts it, and no byte ever comes back.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Worker } from "node:worker_threads";

/** The thread listens with a backlog of 1, and Linux queues one more: two of our own fill it, so that the first foreign SYN finds no room. */
const FILLERS = 2;

export interface Blackhole {
  readonly release: () => Promise<void>;
}

/**
 * @param port free port of 127.0.0.1, or one that `beforeHold` frees
 * @param beforeHold runs when the thread is loaded, so that the port is refused for a moment only
 */
export const holdPort = async (port: number, beforeHold: () => Promise<void>): Promise<Blackhole> => {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const thread = new Worker(new URL("./blackhole-thread.ts", import.meta.url), { workerData: { port, gate } });
  await heard(thread, "loaded");
  await beforeHold();
  thread.postMessage("hold");
  await heard(thread, "holding");
  const fillers = await Promise.all(Array.from({ length: FILLERS }, () => fill(port)));
  return {
    release: async () => {
      for (const filler of fillers) filler.destroy();
      const ended = once(thread, "exit");
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
      await ended;
    },
  };
};

const fill = async (port: number): Promise<Socket> => {
  const socket = connect({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  return socket.on("error", () => undefined);
};

const heard = async (thread: Worker, kind: string): Promise<void> => {
  const [message] = (await once(thread, "message")) as [{ readonly kind: string; readonly why?: string }];
  if (message.kind === kind) return;
  await thread.terminate();
  throw new Error(`The port could not be held: ${message.why ?? message.kind}.`);
};
