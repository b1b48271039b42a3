/**
 * Preloaded with `node --import` into parts that `regent up` starts: when the supervisor is gone, however it went, its end of our stdin closes,
 * and the part stops as if it had been told to. Without this a killed supervisor would leave agents that probe for ever.
 */
process.stdin.once("close", () => process.kill(process.pid, "SIGTERM")).resume();
process.stdin.on("error", () => undefined);
// The pipe alone must not keep a process alive that has nothing left to do.
process.stdin.unref?.();
