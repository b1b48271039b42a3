/** The control of the agent's benchmark: the least that a Node process can do to ask so many targets a second, each over a connection of its own. */
import { get } from "node:http";

const [port = "", count = ""] = process.argv.slice(2);

const probe = (): void => {
  const call = get({ host: "127.0.0.1", port: Number(port), path: "/", agent: false, timeout: 800 }, (answer) => answer.resume());
  call.on("timeout", () => call.destroy()).on("error", () => undefined);
};

/** Spread over the second, as the agent spreads its checks by their phase. */
for (let n = 0; n < Number(count); n++) setTimeout(() => setInterval(probe, 1_000), (n * 1_000) / Number(count));
console.log("{}");
process.stdin.resume().on("end", () => process.exit(0));
