/**
 * Thread that holds a port without ever accepting on it: it listens and then stops its own event loop until it is woken. The kernel
 * completes as many handshakes as the queue takes and drops every further SYN. A thread and not a process, so that it can't outlive the region.
 */
import { createServer } from "node:net";
import { parentPort, workerData } from "node:worker_threads";

const { port, gate } = workerData as { readonly port: number; readonly gate: Int32Array };
const main = parentPort;
if (main === null) throw new Error("blackhole-thread.ts runs as a worker thread only");

const server = createServer((socket) => socket.resetAndDestroy());
server.on("error", (error) => main.postMessage({ kind: "failed", why: error.message }));

main.once("message", () => {
  server.listen({ port, host: "127.0.0.1", backlog: 1 }, () => {
    main.postMessage({ kind: "holding" });
    Atomics.wait(gate, 0, 0);
    server.close(() => {
      main.postMessage({ kind: "released" });
      main.close();
    });
  });
});
main.postMessage({ kind: "loaded" });
