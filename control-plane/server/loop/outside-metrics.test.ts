/** What an operator can graph about the guards and the pool, as Prometheus reads it. */
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { EXAMPLE_POOL, exampleGuard } from "../testing/outside-views.ts";
import { createOutsideMetrics } from "./outside-metrics.ts";

test("guards are told by kind, however many servers there are, and asking twice counts nothing twice", async () => {
  const registry = new Registry();
  const metrics = createOutsideMetrics();
  const guards = [
    exampleGuard({}),
    exampleGuard({ name: "resolver:192.0.2.2:53", state: "open" }),
    exampleGuard({ name: "postgres", kind: "postgres" }),
  ];
  metrics.register(registry, { guards: () => guards, pool: () => EXAMPLE_POOL });
  metrics.guardChanged({ kind: "resolver", state: "open" });
  metrics.databaseDone({ lane: "decisions", ms: 3, hasFailed: false });
  await registry.metrics();
  const text = await registry.metrics();
  for (const line of [
    'regent_guards{guard="resolver",state="open"} 1',
    'regent_guards{guard="resolver",state="closed"} 1',
    'regent_guards{guard="postgres",state="open"} 0',
    'regent_guard_calls{guard="resolver",place="under-way"} 4',
    'regent_guard_calls_total{guard="resolver",outcome="refused"} 14',
    'regent_guard_calls_total{guard="postgres",outcome="failed"} 3',
    'regent_guard_retries_total{guard="resolver"} 8',
    'regent_guard_changes_total{guard="resolver",state="open"} 1',
    'regent_database_state{state="degraded"} 1',
    'regent_database_state{state="healthy"} 0',
    'regent_database_connections{lane="reports",what="in-use"} 3',
    'regent_database_connections{lane="decisions",what="max"} 3',
    "regent_database_held 1",
    "regent_database_held_total 6",
    "regent_database_connections_lost_total 8",
    'regent_database_seconds_bucket{le="0.005",lane="decisions",outcome="done"} 1',
  ])
    expect(text.split("\n")).toContain(line);
  expect(text).not.toContain("192.0.2");
});
