/** One region: its API, its database, and the faults that hold in it. Changes happen one after the other, in the order they were asked. */
import { ApiFault, DatabaseFault, type RegionProcessFault } from "../faults.ts";
import { createQueue } from "./in-order.ts";
import { createPairDatabase } from "./pair-database.ts";
import { createRegionApi } from "./region-api.ts";
import type { RegionConfig } from "./region-config.ts";
import { createRegionDatabase, type RegionDatabase } from "./region-database.ts";
import type { RegionState } from "./region-state.ts";
import { regionFolder } from "./unprivileged.ts";

/** Which part of a region a mend is for; without one everything is mended. */
export type RegionPart = "api" | "database";

export interface Region {
  readonly state: () => RegionState;
  /** Applies the fault; it holds when this resolves. A new fault of the same part replaces the old one. */
  readonly break: (fault: RegionProcessFault) => Promise<RegionState>;
  readonly mend: (part?: RegionPart) => Promise<RegionState>;
  /** Makes this region's half of the pair anew, as a standby of the other. Throws where there is no pair, or the other takes no writes. */
  readonly rebuildStandby: () => Promise<RegionState>;
  readonly close: () => Promise<void>;
}

/**
 * Starts database and API, healthy whatever held in an earlier process. The API listens before the database is up, as a service whose
 * database is slow does. Throws when either can't start; nothing is left running then.
 */
export const startRegion = async (config: RegionConfig): Promise<Region> => {
  await regionFolder(config.dataDir);
  const database = await createRegionDatabase({
    dataDir: config.dataDir,
    port: config.databasePort,
    probePassword: config.probePassword,
  });
  const pair =
    config.pair === undefined
      ? undefined
      : await createPairDatabase({ dataDir: config.dataDir, pair: config.pair, probePassword: config.probePassword });
  const api = await createRegionApi({
    region: config.region,
    version: config.version,
    port: config.apiPort,
    database: database.check,
    now: Date.now,
  });
  let apiFault: ApiFault | undefined;
  let databaseFault: DatabaseFault | undefined;

  const setApi = async (fault: ApiFault | undefined): Promise<void> => {
    await api.setFault(fault);
    apiFault = fault;
  };
  // Down, it is down with the region's own; its role is nobody's fault here, so whatever it is, it keeps it.
  const setPair = (fault: DatabaseFault | undefined): Promise<void> | undefined =>
    fault?.fault === "database-down" ? pair?.stop(fault.mode) : pair?.start();
  const setDatabase = async (fault: DatabaseFault | undefined): Promise<void> => {
    await Promise.all([fault === undefined ? database.mend() : database.break(fault), setPair(fault)]);
    databaseFault = fault;
  };
  const state = (): RegionState => ({
    region: config.region,
    faults: [apiFault, databaseFault].filter((fault) => fault !== undefined),
    api: { port: api.port(), isListening: api.isListening() },
    database: databaseState(database),
    ...(pair === undefined ? {} : { pair: databaseState(pair) }),
    pid: process.pid,
  });
  const inOrder = createQueue();
  const close = async (): Promise<void> => {
    await Promise.all([api.close(), database.stop(), pair?.stop("fast")]);
  };
  await setDatabase(undefined).catch(async (error: unknown) => {
    await close();
    throw error;
  });

  return {
    state,
    break: (fault) =>
      inOrder(async () => {
        const wanted = partsOf(fault);
        // Both at once: a dead region loses them in the same moment.
        await Promise.all([
          wanted.api === undefined ? undefined : setApi(wanted.api),
          wanted.database === undefined ? undefined : setDatabase(wanted.database),
        ]);
        return state();
      }),
    mend: (part) =>
      inOrder(async () => {
        // The database first: a mended API whose deep check still fails would look like a failed return.
        if (part !== "api") await setDatabase(undefined);
        if (part !== "database") await setApi(undefined);
        return state();
      }),
    rebuildStandby: () =>
      inOrder(async () => {
        if (pair === undefined) throw new Error("This region has no half of a pair.");
        await pair.rebuild();
        return state();
      }),
    close: () => inOrder(close),
  };
};

const databaseState = (database: Pick<RegionDatabase, "port" | "pid">): RegionState["database"] => {
  const pid = database.pid();
  return { port: database.port, isRunning: pid !== undefined, ...(pid === undefined ? {} : { pid }) };
};

/** Which parts a fault breaks, and how. */
const partsOf = (fault: RegionProcessFault): { readonly api?: ApiFault; readonly database?: DatabaseFault } => {
  if (fault.fault === "dead") return { api: { fault: "refuse" }, database: { fault: "database-down", mode: "immediate" } };
  const database = DatabaseFault.safeParse(fault);
  return database.success ? { database: database.data } : { api: ApiFault.parse(fault) };
};
