/** Alert rules in a real process over a real Postgres: what fires is told once, also over a `kill -9`, and its end by who comes after. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { prepareTellingProcess, type TellingProcess } from "./testing/telling-process.ts";

let told: TellingProcess;
beforeEach(async () => {
  told = await prepareTellingProcess();
});
afterEach(() => told.end());

const titlesOf = (action: string): number =>
  told.receiver.taken.filter(({ body }) => {
    const sent = JSON.parse(body) as { type: string; data: { incident: { cause: string } } };
    return sent.type === `incident.${action}` && sent.data.incident.cause === "alert:leads";
  }).length;

test("what fires is told once over a kill, and its end by the next process", async () => {
  const first = await told.start();
  const rule = { metric: "regent_leading", condition: { op: "==" as const, value: 1 }, for: 0, severity: "critical" as const };
  const request = { ...rule, expectedVersion: 0, reason: "a test of it" };
  await expect.poll(async () => (await first.setAlertRule("leads", request)).kind, { timeout: 20_000 }).toBe("ok");
  await expect.poll(() => titlesOf("open"), { timeout: 20_000 }).toBe(1);
  expect(await first.alerts()).toMatchObject({ kind: "ok", value: { alerts: [{ rule: "leads", state: "firing", value: 1 }] } });
  expect(await first.tryAlertRule("deciding-slow")).toMatchObject({ kind: "ok", value: { rule: { source: "default" } } });
  expect(await first.setAlertRule("leads", request)).toMatchObject({ kind: "problem", problem: { status: 409, version: 1 } });
  await told.kill();
  const second = await told.start();
  const drop = { expectedVersion: 1, reason: "seen enough" };
  await expect.poll(async () => (await second.dropAlertRule("leads", drop)).kind, { timeout: 40_000 }).toBe("ok");
  await expect.poll(() => titlesOf("close"), { timeout: 20_000 }).toBe(1);
  expect(titlesOf("open")).toBe(1);
  expect(await second.alerts()).toMatchObject({ kind: "ok", value: { alerts: [] } });
}, 120_000);
