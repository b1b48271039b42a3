/** What whoever reads the role promises: what is committed counts at once, what isn't never does. */
import type { Controls } from "@regent/engine";
import { afterAll, describe, expect, test } from "vitest";
import type { DecisionStore } from "../decision-store.ts";
import type { Lease } from "../lease.ts";
import type { RoleReader } from "../role-reader.ts";
import { exampleCommit, exampleEntry, exampleService, exampleTransfer, ulid } from "./examples.ts";

export interface RoleBench {
  readonly roles: RoleReader;
  readonly decisions: DecisionStore;
  readonly lease: Lease;
  readonly close: () => Promise<void>;
}

export const roleReaderSuite = (name: string, open: () => Promise<RoleBench>): void => {
  describe(`${name} role reader`, () => {
    const opened: RoleBench[] = [];
    const start = async (): Promise<RoleBench> => {
      const bench = await open();
      opened.push(bench);
      await bench.lease.acquire("leader", 60_000, 0);
      return bench;
    };
    afterAll(async () => {
      await Promise.all(opened.map(({ close }) => close()));
    });

    test("nothing is known of a service that nobody wrote", async () => {
      expect(await (await start()).roles.read("web")).toBeNull();
    });

    test("a committed transfer is read from that moment on, and a service's neighbours don't matter", async () => {
      const { roles, decisions } = await start();
      const record = exampleService({ transfer: null });
      await decisions.commit(exampleCommit({ services: [record, exampleService({ service: "mail" })] }));
      expect(await roles.read("web")).toEqual({ version: 1, passive: record.traffic.passive, transfer: null, isRestored: false });
      const transfer = exampleTransfer();
      await decisions.commit(exampleCommit({ services: [{ ...record, version: 1, transfer }] }));
      expect(await roles.read("web")).toEqual({ version: 2, passive: record.traffic.passive, transfer, isRestored: false });
    });

    test("a restored database says so for as long as everything is frozen for it, and no other freeze does", async () => {
      const { roles, decisions } = await start();
      await decisions.commit(exampleCommit({ services: [exampleService()] }));
      const { holder, term } = exampleCommit();
      const set = (value: Controls["frozenGlobally"]) =>
        decisions.writeFreeze({ holder, term, value, entry: exampleEntry({ id: ulid() }) });
      const isRestored = async (): Promise<unknown> => (await roles.read("web"))?.isRestored;
      await set({ by: "ann", reason: "rehearsing", at: 1_700_000_000_000, cause: "operator" });
      expect(await isRestored()).toBe(false);
      await set({ by: "regent", reason: "DNS is ahead", at: 1_700_000_000_000, cause: "restored" });
      expect(await isRestored()).toBe(true);
      await set(null);
      expect(await isRestored()).toBe(false);
    });

    test("what a fenced leader wanted to write is never read", async () => {
      const { roles, decisions } = await start();
      const record = exampleService({ transfer: null });
      await decisions.commit(exampleCommit({ services: [record] }));
      const next = { ...record, version: 1, transfer: exampleTransfer() };
      expect(await decisions.commit(exampleCommit({ services: [next], term: 2 }))).toEqual({ kind: "fenced" });
      expect(await roles.read("web")).toMatchObject({ version: 1, transfer: null });
    });
  });
};
