/** What tests of a fleet ask of all its services, and wait for, again and again. */
import { countUnsettled } from "./audit.ts";
import type { Fleet } from "./fleet.ts";

/** A batch that may have left is settled by then, whatever died. */
export const SETTLED_MS_MAX = 120_000;

export const allHealthy = async (fleet: Fleet): Promise<void> => {
  for (const service of fleet.services)
    await fleet.until(
      `${service} is healthy`,
      () => fleet.service(service),
      ({ revision, regions }) => revision > 0 && regions.every(({ verdict }) => verdict === "healthy"),
      30_000,
    );
};

/** Every service leaves the region in which it is; answers where each is to go. */
export const failAll = async (fleet: Fleet): Promise<ReadonlyMap<string, string>> =>
  new Map(await Promise.all(fleet.services.map(async (service) => [service, await fleet.fail(service)] as const)));

export const allIn = async (fleet: Fleet, wanted: ReadonlyMap<string, string>, withinMs = 60_000): Promise<void> => {
  for (const [service, region] of wanted)
    await fleet
      .until(
        `${service} is in ${region}`,
        () => fleet.activeIn(service),
        (active) => active === region,
        withinMs,
      )
      .catch(async (error: unknown) => {
        const told = JSON.stringify(await (await fleet.leader()).client.explain(service));
        throw new Error(`${error instanceof Error ? error.message : error}\nits leader says: ${told}`);
      });
};

/** Until no row of the outbox is unsettled. */
export const settled = (fleet: Fleet, withinMs = SETTLED_MS_MAX): Promise<number> =>
  fleet.until(
    "the outbox is empty",
    () => countUnsettled(fleet.database),
    (open) => open === 0,
    withinMs,
  );
