import { describe, expect, test } from "vitest";
import { exampleEvacuation, exampleStep } from "../../ports/suites/evacuations.suite.ts";
import { specOf } from "../../testing/specs.ts";
import { emptyRecord } from "../memory/ledger.ts";
import { draftServices, servicesOf } from "./draft-evacuation.ts";

const AT = 1_000_000;
const spec = (id: string, priority = 100) => ({ ...specOf(id, "Z1"), priority });
const specs = new Map([spec("b"), spec("a"), spec("z", 1)].map((each) => [each.id, each]));
const fire = { by: "ada", reason: "a fire", at: AT + 5 };
const disk = { by: "ben", reason: "a disk", at: AT + 5 };

const draft = (direction: "evacuate" | "return", drained: Readonly<Record<string, typeof fire>>, earlier = [] as never[]) =>
  draftServices(direction, {
    specs,
    recordOf: (service) => {
      const empty = emptyRecord(service);
      const drain = drained[service];
      return { ...empty, controls: { ...empty.controls, drained: drain ? { eu: drain } : {} } };
    },
    region: "eu",
    earlier,
  }).map(({ service, state }) => `${service} ${state}`);

const evacuated = (more: object = {}) =>
  exampleEvacuation({
    at: AT,
    by: "ada",
    reason: "a fire",
    state: "done",
    services: [exampleStep("a", { state: "moved", at: AT + 5 }), exampleStep("b", { state: "nothing" })],
    ...more,
  }) as never;

describe("of a region", () => {
  test("are the services that run there, by priority and then by id", () => {
    expect(servicesOf(specs, "eu").map(({ id }) => id)).toEqual(["z", "a", "b"]);
    expect(servicesOf(specs, "nowhere")).toEqual([]);
  });

  test("an evacuation asks all that nobody has drained", () => {
    expect(draft("evacuate", { a: disk })).toEqual(["z waiting", "a nothing", "b waiting"]);
  });

  test("a return asks those that an evacuation drained, and leaves out who isn't drained", () => {
    expect(draft("return", { a: fire, b: disk }, [evacuated()])).toEqual(["a waiting", "b nothing"]);
  });

  test("a drain of the same person for the same reason, from before the evacuation, stays theirs", () => {
    expect(draft("return", { b: fire }, [evacuated()])).toEqual(["b nothing"]);
  });

  test("what a stopped one drained before its leader could write it down comes back too", () => {
    const stopped = evacuated({
      state: "stopped",
      services: [exampleStep("a", { state: "waiting" }), exampleStep("b", { state: "nothing" })],
    });
    expect(draft("return", { a: fire, b: fire }, [stopped])).toEqual(["a waiting", "b nothing"]);
  });

  test("a drain is known as the evacuation's although the clock was set back since", () => {
    expect(draft("return", { a: { ...fire, at: AT - 3_600_000 } }, [evacuated()])).toEqual(["a waiting"]);
    expect(draft("return", { a: fire }, [evacuated({ direction: "return" })])).toEqual(["a nothing"]);
  });
});
