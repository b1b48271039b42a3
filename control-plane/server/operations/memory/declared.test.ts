/** Since when a service is declared as it is: the order of keys says nothing, everything else does. */
import { expect, test } from "vitest";
import { specOf } from "../../testing/specs.ts";
import { declaredNow } from "./declared.ts";

const spec = specOf("web", "Z1");

test("the first that is seen has no beginning, the same again is the same object, another one begins now", () => {
  const first = declaredNow({ declared: null }, spec, 5);
  expect(first.since).toBeNull();
  expect(declaredNow({ declared: first }, spec, 6)).toBe(first);
  const next = declaredNow({ declared: first }, { ...spec, ttlSeconds: spec.ttlSeconds + 1 }, 7);
  expect(next).toEqual({ digest: expect.not.stringMatching(first.digest), since: 7 });
});

test("keys in another order are the same declaration, endpoints in another order are another", () => {
  const first = declaredNow({ declared: null }, spec, 5);
  const turned = Object.fromEntries(Object.entries(spec).reverse()) as unknown as typeof spec;
  expect(declaredNow({ declared: null }, turned, 5)).toEqual(first);
  const swapped = { ...spec, endpoints: [...spec.endpoints].reverse() };
  expect(declaredNow({ declared: null }, swapped, 5)).not.toEqual(first);
});
