/** Another setting over a rehearsal's configuration, and what two runs of it differ in. */
import { describe, expect, test } from "vitest";
import { readRehearsal } from "../rehearsal/read-rehearsal.ts";
import { runRehearsal } from "../rehearsal/run-rehearsal.ts";
import { readShipped } from "../testing/rehearse.ts";
import { compare } from "./compare.ts";
import { faultsOf, outOfServiceMs } from "./out-of-service.ts";
import { readKey, SETTING_KEYS } from "./setting-keys.ts";
import { readWhatIf } from "./what-if.ts";

const open = async (name: string, vary?: (written: unknown) => unknown) => {
  const config = async (path: string) => ({ text: readShipped(path), fileName: path });
  const read = await readRehearsal(readShipped(name), name, config, vary);
  if (read.kind === "invalid") throw new Error(read.lines.join("\n"));
  return read.rehearsal;
};

const whatIf = async (name: string, ...assignments: readonly string[]) => {
  const read = readWhatIf(assignments);
  if (read.kind === "wrong") throw new Error(read.why);
  const [asItIs, varied] = [await open(name), await open(name, read.vary)];
  return compare(asItIs, await runRehearsal(asItIs), await runRehearsal(varied));
};

describe("two runs side by side", () => {
  test("a higher threshold moves later, by as much as the service is out of service longer", async () => {
    const { moments, figures } = await whatIf("region-dead.yaml", "settings.fall=6");
    const move = moments.find(({ what }) => what === "→ failover of checkout, left eu-west, us-east received");
    const later = (move?.whatIf ?? 0) - (move?.asItIs ?? 0);
    expect(later).toBeGreaterThan(5_000);
    const [figure] = figures;
    expect((figure?.outOfServiceMs.whatIf ?? 0) - (figure?.outOfServiceMs.asItIs ?? 0)).toBe(later);
    expect(figure?.moves).toEqual({ asItIs: 1, whatIf: 1 });
  });

  test("a decision that only one of them makes has no other moment", async () => {
    const { moments, figures } = await whatIf("failed-return.yaml", "strategy.failback=manual");
    expect(
      moments.filter(({ what }) => what.includes("failback")).every((one) => one.asItIs !== null && one.whatIf === null),
    ).toBe(true);
    expect(figures).toMatchObject([{ moves: { asItIs: 7, whatIf: 1 } }]);
  });

  test("the last word counts over what the file itself sets, now and later", async () => {
    const { moments } = await whatIf("budget.yaml", "safety.failoversPerHour=2");
    expect(
      moments.some(
        ({ what, asItIs, whatIf: other }) => what === "held by A9, away from us-east" && asItIs !== null && other === null,
      ),
    ).toBe(true);
  });

  test("the same setting makes no difference", async () => {
    const { moments } = await whatIf("region-dead.yaml", "service.checkout.settings.fall=3");
    expect(moments.length).toBeGreaterThan(0);
    for (const { asItIs, whatIf: other } of moments) expect(other).toBe(asItIs);
  });
});

describe("out of service", () => {
  test("is the time that traffic stands at a region which most vantages see failing, in parts of the traffic", async () => {
    const faults = faultsOf(await open("region-dead.yaml"));
    expect(faults).toEqual(new Map([["checkout/eu-west", [{ fromMs: 60_000, toMs: 1_200_000 }]]]));
    const standings = [
      { at: 0, service: "checkout", weights: { default: { "eu-west": 1, "us-east": 1 } } },
      { at: 80_000, service: "checkout", weights: { default: { "us-east": 1 } } },
    ];
    expect(outOfServiceMs("checkout", { standings }, faults, 1_200_000)).toBe(10_000);
  });

  test("isn't what one network alone sees", async () => {
    expect(faultsOf(await open("one-network.yaml"))).toEqual(new Map());
  });
});

describe("a setting's name", () => {
  test.each(SETTING_KEYS)("%s is one, of all services and of one", (key) => {
    expect(readKey(key)).toEqual({ kind: "key", of: { service: null, key } });
    expect(readKey(`service.shop.${key}`)).toEqual({ kind: "key", of: { service: "shop", key } });
  });

  test.each([
    ["settings.holdMax=30", "settings.holdMaxSeconds"],
    ["settings.fal=5", "settings.fall"],
    ["safety.cooldown=60", "settings.cooldownSeconds"],
    ["service.shop.stepMax=1", "service.shop.safety.stepMax"],
    ["__proto__.x=1", "settings."],
  ])("%s isn't one, and the nearest are told", (assignment, nearest) => {
    const read = readWhatIf([assignment]);
    expect(read.kind === "wrong" ? read.why : "").toContain(nearest);
  });

  test.each(["settings.fall", "=3", "", `settings.fall=${"9".repeat(600)}`])("%s is no assignment", (assignment) => {
    expect(readWhatIf([assignment])).toMatchObject({ kind: "wrong" });
  });

  test.each([
    ["service.shop.ttl=10", /no service "shop" is declared; declared: checkout/],
    ["strategy.panicBelow=0.4", /no service's strategy has it/],
  ])("%s means nothing to a service that hasn't it", (assignment, why) => {
    const read = readWhatIf([assignment]);
    const services = [{ id: "checkout", strategy: { kind: "active-passive" } }];
    expect(read.kind === "if" ? read.findUnmeant({ services }) : "").toMatch(why);
  });
});
