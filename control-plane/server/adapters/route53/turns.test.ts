/** Which lane of the account's budget each call takes, and with what rank. */
import { expect, test } from "vitest";
import { createRoute53Provider } from "./dns-provider.ts";

const startTurns = () => {
  const taken: string[] = [];
  const provider = createRoute53Provider({
    endpoint: "http://127.0.0.1:1",
    credentials: { accessKeyId: "AKIDTURNS", secretAccessKey: "only-for-this-test" },
    budget: {
      // Every call ends here: nothing is sent.
      take: (lane, rank = 0) => {
        taken.push(`${lane} ${rank}`);
        return Promise.reject(new Error("no token in this test"));
      },
      available: () => 0,
      slowDown: () => undefined,
    },
  });
  /** The first token that a call asks for. */
  const turnOf = async (call: () => Promise<unknown>): Promise<string | undefined> => {
    taken.length = 0;
    await call().catch(() => undefined);
    return taken[0];
  };
  return { provider, turnOf };
};
const record = { name: "a.example.com", type: "A", ttl: 30, values: ["192.0.2.1"] };

test("reads for a write and scans for drift wait in lanes of their own, whatever they read", async () => {
  const { provider, turnOf } = startTurns();
  expect(await turnOf(() => provider.readZone("Z1"))).toBe("read 0");
  expect(await turnOf(() => provider.readZone("Z1", { lane: "read", rank: 100 }))).toBe("read 100");
  expect(await turnOf(() => provider.readZone("Z1", { lane: "scan", rank: 0 }))).toBe("scan 0");
  expect(await turnOf(() => provider.readNames("Z1", ["a.example.com"], { lane: "scan", rank: 0 }))).toBe("scan 0");
});

test("changes go by rank, and what only follows a change polls", async () => {
  const { provider, turnOf } = startTurns();
  const batch = { deletes: [], creates: [record], comment: "turns" };
  expect(await turnOf(() => provider.send("Z1", batch))).toBe("change 0");
  expect(await turnOf(() => provider.send("Z1", { ...batch, rank: 20_100 }))).toBe("change 20100");
  expect(await turnOf(() => provider.readChange("C1"))).toBe("poll 0");
});
