/** Any databases and transfers that a stateful service may be met with: mostly one that writes and standbys that follow, and sometimes anything. */
import * as fc from "fast-check";
import type { DatabaseView, ServiceSpec, Transfer } from "../model.ts";
import { database, STATEFUL, testTransfer } from "./databases.ts";
import { T0 } from "./evidence.ts";

/** Half of those that may be: one place to serve from, without a trickle to the others. */
export const anyStateful = (spec: ServiceSpec): fc.Arbitrary<ServiceSpec> =>
  spec.strategy.kind !== "active-passive" || spec.strategy.trickle > 0
    ? fc.constant(spec)
    : fc
        .record({ is: fc.boolean(), lagMaxMs: fc.constantFrom(100, 10_000), hasHook: fc.boolean() })
        .map(({ is, ...changed }) => ({ ...spec, stateful: is ? { ...STATEFUL, ...changed } : null }));

const anyView = (region: string, isPrimary: boolean): fc.Arbitrary<DatabaseView> =>
  fc
    .record({
      role: fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom<DatabaseView["role"]>(isPrimary ? "writable" : "standby") },
        fc.constantFrom<DatabaseView["role"]>("writable", "read-only", "standby", "split", "unseen"),
      ),
      lag: fc.constantFrom(null, 0, 200, 60_000),
      ago: fc.integer({ min: 0, max: 60_000 }),
      lost: fc.option(fc.integer({ min: 0, max: 120_000 })),
    })
    .map(({ role, lag, ago, lost }) =>
      database(region, role, {
        ...(role === "standby" ? { lagMs: lag, lagAt: lag === null ? null : T0 - ago } : {}),
        linkLostAt: role === "standby" && lost !== null ? T0 - lost : null,
      }),
    );

/** Of a service that isn't stateful too: whoever keeps them there changes nothing. */
export const anyDatabases = ({ endpoints }: ServiceSpec): fc.Arbitrary<readonly DatabaseView[]> =>
  fc
    .nat({ max: endpoints.length })
    .chain((primary) => fc.tuple(...endpoints.map(({ region }, at) => anyView(region, at === primary))));

export const anyTransfer = ({ endpoints }: ServiceSpec): fc.Arbitrary<Transfer | null> => {
  const region = fc.constantFrom(...endpoints.map((one) => one.region));
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant(null) },
    fc
      .record({
        from: region,
        to: region,
        phase: fc.constantFrom<Transfer["phase"]>("prepare", "role", "switch", "verify", "done", "stopped"),
        phaseAt: fc.integer({ min: 0, max: 600_000 }).map((ago) => T0 - ago),
        attempts: fc.constantFrom(0, 0, 1),
        isAsked: fc.boolean(),
        stoppedFor: fc.constantFrom<NonNullable<Transfer["stoppedFor"]>>("unwanted", "failed", "operator"),
      })
      .filter(({ from, to }) => from !== to || endpoints.length === 1)
      .map(({ from, to, phase, phaseAt, attempts, isAsked, stoppedFor }) => {
        const by = isAsked ? ({ kind: "operator", name: "ann" } as const) : ({ kind: "automation", name: "regent" } as const);
        const base = testTransfer({ phase, phaseAt }, { from, to, by, reason: isAsked ? "because" : null, now: phaseAt });
        return { ...base, hook: { ...base.hook, attempts }, ...(phase === "stopped" ? { stoppedFor } : {}) };
      }),
  );
};
