import { describe, expect, it } from "vitest";
import { resolveDialling } from "./dial.ts";
import { createNameResolver } from "./resolve-name.ts";

/** Names that begin with "hang" are never answered; the others at once. */
const slowSystem = () => {
  const asked: string[] = [];
  const ask = (host: string): Promise<readonly string[]> => {
    asked.push(host);
    return host.startsWith("hang") ? new Promise(() => undefined) : Promise.resolve(["192.0.2.1"]);
  };
  return { asked, resolve: createNameResolver({ ask, threads: 2 }) };
};

describe("names", () => {
  it("a name whose server hangs is asked once however often it is probed, and leaves room for the others", async () => {
    const { asked, resolve } = slowSystem();
    for (let i = 0; i < 5; i += 1) expect(await resolve("hang.test", 10)).toEqual({ kind: "failed", reason: "dns_timeout" });
    expect(await resolve("fine.test", 10)).toEqual({ kind: "found", addresses: ["192.0.2.1"] });
    expect(asked).toEqual(["hang.test", "fine.test"]);
  });

  it("a name that waits for others of ours is not said to be dead", async () => {
    const { resolve } = slowSystem();
    const hanging = [resolve("hang-1.test", 30), resolve("hang-2.test", 30)];
    const dialling = await resolveDialling(
      "fine.test:80",
      { allowLoopback: false, allowPrivate: true, connectTo: {} },
      20,
      resolve,
    );
    expect(dialling).toMatchObject({ kind: "refused", result: { outcome: "unknown", reason: "agent_overloaded" } });
    expect(await Promise.all(hanging)).toEqual(hanging.map(() => ({ kind: "failed", reason: "dns_timeout" })));
  });

  it("a waiting name is asked when a thread is free, and told apart from one that doesn't exist", async () => {
    let tell: (addresses: readonly string[]) => void = () => undefined;
    const told = new Promise<readonly string[]>((resolve) => {
      tell = resolve;
    });
    const resolve = createNameResolver({
      ask: (host) => (host === "slow.test" ? told : Promise.reject(Object.assign(new Error(host), { code: "ENOTFOUND" }))),
      threads: 1,
    });
    const slow = resolve("slow.test", 5_000);
    const gone = resolve("gone.test", 5_000);
    tell(["192.0.2.1"]);
    expect(await slow).toEqual({ kind: "found", addresses: ["192.0.2.1"] });
    expect(await gone).toEqual({ kind: "failed", reason: "dns_nxdomain" });
  });
});
