/**
 * The batch of an offline decision, and what Route 53 makes of it by itself. It changes weights alone: also where the types of a name stand with
 * different TTLs, which no declaration says, each keeps its own. Pure.
 */
import type { Epoch, Observed, RecordSet, ServiceBatch } from "../model.ts";
import { buildServiceBatch } from "./batch.ts";
import type { OfflinePlanned, OfflineWish } from "./offline.ts";
import { renderMembers, toMembers } from "./record-sets.ts";
import { toSetWords } from "./record-values.ts";

/** The digest of the epoch record is taken over exactly these. */
export const renderOffline = ({ spec, weightsAfter }: OfflinePlanned, observed: Observed): RecordSet[] => {
  const members = toMembers(spec, observed);
  return renderMembers({ spec, observed, weights: weightsAfter }).map((set) => {
    // Route 53 holds one TTL for all weighted records of one name and type.
    const ttl = members.find(({ name, type, alias }) => alias === undefined && name === set.name && type === set.type)?.ttl;
    return set.alias !== undefined || ttl === undefined ? set : { ...set, ttl };
  });
};

export const buildOfflineBatch = (plan: OfflinePlanned, observed: Observed, epoch: Epoch): ServiceBatch => {
  const { creates, ...batch } = buildServiceBatch({ spec: plan.spec, observed, weights: plan.weightsAfter, epoch });
  const [mark] = creates;
  if (mark === undefined) throw new Error(`The batch of ${plan.spec.id} has no epoch record.`);
  return { ...batch, creates: [mark, ...renderOffline(plan, observed)] };
};

/**
 * Records of the region that is to serve which Route 53 may leave out all the same. A sentence each. With no record of a positive weight that it
 * holds healthy, Route 53 answers those of weight 0.
 */
export const targetWarnings = (wish: OfflineWish, { creates }: ServiceBatch): string[] =>
  wish.kind === "freeze"
    ? []
    : creates
        .filter(({ setIdentifier }) => setIdentifier === wish.to)
        .flatMap((set) => {
          const words = toSetWords(set);
          return [
            ...(set.healthCheckId === undefined
              ? []
              : [`${words} has the health check ${set.healthCheckId}: while that fails, ${UNANSWERED}`]),
            ...(set.alias?.evaluateTargetHealth === true
              ? [
                  `${words} is an alias with evaluateTargetHealth: while Route 53 holds ${set.alias.name} to be unhealthy, ${UNANSWERED}`,
                ]
              : []),
          ];
        });

const UNANSWERED =
  "Route 53 may not answer this record and may answer a region of weight 0 instead. Its state isn't read here: look at it first.";
