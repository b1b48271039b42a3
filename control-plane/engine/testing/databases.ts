/** What the tests of stateful services share: a service whose data is written in one place, what is seen of its databases, and transfers. */
import type { RegionId } from "@regent/contract";
import type { DatabaseView, ServiceSpec, StatefulSpec, Transfer } from "../model.ts";
import { beginTransfer, type TransferStart } from "../stateful/transfer.ts";
import { T0 } from "./evidence.ts";
import { passiveSpec } from "./situation.ts";

export const STATEFUL: StatefulSpec = {
  check: "db",
  lagMaxMs: 10_000,
  leaseMs: 15_000,
  prepareMs: 60_000,
  roleMs: 60_000,
  hasHook: true,
};

/** active-passive in r1, r2 and r3; agents look every 5 s and wait for 2 s. */
export const statefulSpec = (changed: Partial<StatefulSpec> = {}, spec: ServiceSpec = passiveSpec()): ServiceSpec => ({
  ...spec,
  stateful: { ...STATEFUL, ...changed },
});

/** Seen a second ago; a standby is connected and 200 ms behind. */
export const database = (region: RegionId, role: DatabaseView["role"], changed: Partial<DatabaseView> = {}): DatabaseView => {
  const seenAt = role === "unseen" ? null : T0 - 1_000;
  const lag = role === "standby" ? { lagMs: 200, lagAt: T0 - 1_000 } : { lagMs: null, lagAt: null };
  return { region, role, ...lag, linkLostAt: null, seenAt, why: `the database in ${region} is ${role}`, ...changed };
};

/** r1 writes, the others stand by and follow it. */
export const WELL: readonly DatabaseView[] = [database("r1", "writable"), database("r2", "standby"), database("r3", "standby")];

/** r1 is gone, and 3 s before that r2 and r3 were 200 ms behind; their links broke with it. */
export const PRIMARY_GONE: readonly DatabaseView[] = [
  database("r1", "unseen"),
  database("r2", "standby", { lagAt: T0 - 8_000, linkLostAt: T0 - 4_000 }),
  database("r3", "standby", { lagAt: T0 - 8_000, linkLostAt: T0 - 4_000 }),
];

export const testTransfer = (changed: Partial<Transfer> = {}, start: Partial<TransferStart> = {}): Transfer => ({
  ...beginTransfer({
    id: "01JD8ZK3M4N5P6Q7R8S9T0V1W2",
    from: "r1",
    to: "r2",
    by: { kind: "automation", name: "regent" },
    reason: null,
    now: T0 - 2_000,
    ...start,
  }),
  ...changed,
});
