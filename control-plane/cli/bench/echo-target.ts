/** A target for many probes, in a process of its own, so that its cost isn't counted as the prober's. */
import { createServer } from "node:http";

const server = createServer((_, answer) => answer.writeHead(200, { "content-length": 2, connection: "close" }).end("ok"));
server.listen(0, "127.0.0.1", 1_024, () => console.log(JSON.stringify({ port: (server.address() as { port: number }).port })));
process.stdin.resume().on("end", () => process.exit(0));
