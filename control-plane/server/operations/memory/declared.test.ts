/** Since when a service is declared as it is: the order of keys says nothing, everything else does. */
import { Declaration } from "@regent/contract";
import { expect, test } from "vitest";
import { toServiceSpecs } from "../../configuration/to-specs.ts";
import { specOf } from "../../testing/specs.ts";
import { declaredNow, releasesOf } from "./declared.ts";

const spec = specOf("web", "Z1");

test("the first that is seen has no beginning, the same again is the same object, another one begins now", () => {
  const first = declaredNow({ declared: null }, spec, { version: 1, now: 5 });
  expect(first).toEqual({ digest: first.digest, since: null });
  expect(declaredNow({ declared: first }, spec, { version: 2, now: 6 })).toBe(first);
  const other = { ...spec, ttlSeconds: spec.ttlSeconds + 1 };
  const next = declaredNow({ declared: first }, other, { version: 3, now: 7 });
  expect(next).toEqual({ digest: expect.not.stringMatching(first.digest), since: 7, version: 3 });
  // A later version that says the same of this service didn't release it.
  expect(declaredNow({ declared: next }, other, { version: 4, now: 8 })).toBe(next);
});

test("a check that asks for another path, or a database looked for at another port, is another declaration", () => {
  const specFor = (path: string, db: string) => {
    const endpoint = { region: "eu", A: ["192.0.2.10"], probe: { address: "127.0.0.1:9000" }, targets: { db } };
    const web = { id: "web", name: "web.example.com", zone: "example.com", strategy: { kind: "active-passive" } };
    const checks = [
      { id: "web", kind: "http", path },
      { id: "db", kind: "tcp", from: "inside" },
    ];
    const [made] = toServiceSpecs(
      Declaration.parse({
        regent: 1,
        owner: "acme",
        zones: [{ id: "Z1", name: "example.com" }],
        regions: [{ id: "eu" }],
        services: [{ ...web, endpoints: [endpoint], checks }],
      }),
    );
    if (!made) throw new Error("no service");
    return made;
  };
  const digestOf = (path: string, db: string) =>
    declaredNow({ declared: null }, specFor(path, db), { version: 1, now: 5 }).digest;
  expect(digestOf("/right", "127.0.0.1:1")).toBe(digestOf("/right", "127.0.0.1:1"));
  expect(
    new Set([digestOf("/right", "127.0.0.1:1"), digestOf("/wrong", "127.0.0.1:1"), digestOf("/right", "127.0.0.1:2")]).size,
  ).toBe(3);
});

test("a few declarations before are remembered, so that going back clears none of them", () => {
  const turn = (known: ReturnType<typeof declaredNow> | null, version: number) =>
    declaredNow({ declared: known }, { ...spec, ttlSeconds: 10 + version }, { version, now: version * 100 });
  const sixth = [2, 3, 4, 5, 6, 7, 8].reduce(turn, turn(null, 1));
  expect(releasesOf(turn(null, 1))).toEqual([]);
  expect(releasesOf(sixth)).toEqual([8, 7, 6, 5, 4].map((version) => ({ at: version * 100, version })));
  expect(JSON.parse(JSON.stringify(sixth))).toEqual(sixth);
});

test("keys in another order are the same declaration, endpoints in another order are another", () => {
  const at = { version: 1, now: 5 };
  const first = declaredNow({ declared: null }, spec, at);
  const turned = Object.fromEntries(Object.entries(spec).reverse()) as unknown as typeof spec;
  expect(declaredNow({ declared: null }, turned, at)).toEqual(first);
  const swapped = { ...spec, endpoints: [...spec.endpoints].reverse() };
  expect(declaredNow({ declared: null }, swapped, at)).not.toEqual(first);
});
