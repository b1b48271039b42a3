import type { Observed, ServiceSpec } from "@regent/engine";
import { expect, test } from "vitest";
import { specOf } from "../../testing/specs.ts";
import type { MoveDeps } from "./request-move.ts";
import { requestMoves } from "./request-moves.ts";

const ids = Array.from({ length: 60 }, (_, i) => `s${i}`);
const specs: ReadonlyMap<string, ServiceSpec> = new Map(ids.map((id) => [id, specOf(id, "Z1")]));

/** A zone that is read well; each commit settles nothing, as if leadership had changed since: what is begun is told from what isn't. */
const testDeps = (givesWay: () => boolean) => {
  const commits: number[] = [];
  const deps = {
    givesWay,
    specs: () => specs,
    reader: {
      read: async () => ({ kind: "read", term: 1, observed: new Map(ids.map((id) => [id, {} as Observed])) }),
      settleInto: () => new Map(),
    },
    ledger: {
      commit: async (build: (draft: unknown) => unknown) => {
        commits.push(commits.length);
        return build({ record: (service: string) => ({ service }) });
      },
    },
  };
  return { commits, deps: deps as unknown as MoveDeps & { readonly givesWay: () => boolean } };
};

const ask = async (givesWay: () => boolean) => {
  const { commits, deps } = testDeps(givesWay);
  const orders = ids.map((service) => ({
    service,
    request: { move: { kind: "drain", region: "eu" }, by: "ada", reason: "a fire", breakGlass: [] },
    dryRun: true,
    expectedRevision: null,
  })) as Parameters<typeof requestMoves>[2]["orders"];
  const { result } = await requestMoves(deps, "Z1", {
    orders,
    leaveAlone: ({ service }) => (service === "s1" ? "stands" : null),
  });
  return { commits: commits.length, kinds: ids.map((id) => result.get(id)?.kind) };
};

test("many services are asked in parts of a commit, and one that is left alone is not decided", async () => {
  const { commits, kinds } = await ask(() => false);
  expect(commits).toBe(3);
  expect(kinds).toEqual(ids.map((id) => (id === "s1" ? "stands" : "dns-away")));
});

test("parts that aren't begun give way to traffic that waits for the zone, and the first is asked all the same", async () => {
  const { commits, kinds } = await ask(() => true);
  expect(commits).toBe(1);
  expect(kinds.slice(25)).toEqual(Array.from({ length: 35 }, () => "too-many"));
});
