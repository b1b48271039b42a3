/** Stateful services put together: what is seen of their databases, transfers led on, and who may write, for whoever asks. */
import type { Declaration, RoleAnswer, TransferState } from "@regent/contract";
import type { ServiceSpec } from "@regent/engine";
import type { Logger } from "pino";
import type { EvidenceCache } from "../operations/evidence/evidence-cache.ts";
import type { Ledger } from "../operations/memory/ledger.ts";
import { createDatabaseBook, type DatabaseBook } from "../operations/transfer/database-book.ts";
import { createTransferLead, type TransferLead } from "../operations/transfer/lead-transfers.ts";
import { listTransfers } from "../operations/transfer/list-transfers.ts";
import { toRole } from "../operations/transfer/role.ts";
import { stopTransferNow, type TransferStopOrder, type TransferStopResult } from "../operations/transfer/stop-transfer.ts";
import type { Clock, Ids } from "../ports/clock.ts";
import type { HookCaller } from "../ports/hook-caller.ts";
import type { RoleReader } from "../ports/role-reader.ts";

export interface StatefulDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly ledger: Ledger;
  readonly cache: EvidenceCache;
  readonly hooks: HookCaller;
  readonly roles: RoleReader;
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
  readonly declaration: () => Declaration | null;
  readonly isLeading: () => boolean;
  readonly wake: (services: readonly string[]) => void;
  readonly onFenced: (term: number) => void;
}

export interface Stateful {
  readonly see: DatabaseBook["see"];
  readonly look: TransferLead["look"];
  /** Each service's last one, those under way in front. */
  readonly transfers: () => readonly TransferState[];
  /** The caller leads. */
  readonly stop: (order: TransferStopOrder) => Promise<TransferStopResult>;
  /** Read from the database at each question. Null for a service that isn't there, or that has no one writable place. */
  readonly role: (service: string, region?: string) => Promise<RoleAnswer | "no-such-region" | null>;
  /** Leadership begins or ends, or the clock has jumped: what is written down counts again. */
  readonly forget: () => void;
}

export const createStateful = (deps: StatefulDeps): Stateful => {
  const { ledger, specs } = deps;
  const book = createDatabaseBook(deps.cache);
  const lead = createTransferLead({
    ...deps,
    hookOf: (service) => deps.declaration()?.services.find(({ id }) => id === service)?.stateful?.hook ?? null,
    wake: (service) => deps.wake([service]),
  });
  return {
    see: book.see,
    look: lead.look,
    transfers: () => listTransfers([...specs().values()], ledger.record),
    stop: async (order) => {
      const spec = specs().get(order.service);
      if (!spec) return { kind: "not-found", what: `service ${order.service}` };
      const result = await stopTransferNow(deps, spec, order);
      deps.wake([spec.id]);
      return result;
    },
    role: async (service, region) => {
      const spec = specs().get(service);
      if (!spec || spec.stateful === null) return null;
      if (region !== undefined && !spec.endpoints.some((endpoint) => endpoint.region === region)) return "no-such-region";
      return toRole(spec, await deps.roles.read(service), region);
    },
    forget: () => {
      book.forget();
      lead.forget();
    },
  };
};
