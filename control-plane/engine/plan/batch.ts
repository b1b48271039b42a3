/**
 * Builds what goes to Route 53: per service one compare-and-swap, per zone as few calls as the limits allow. Pure. Route 53 accepts a batch
 * whole or not at all and refuses a DELETE that doesn't match what it holds, so a batch built from a stale read can do nothing.
 */
import type { BatchLine, ServiceId } from "@regent/contract";
import type { Epoch, RecordSet, ServiceBatch } from "../model.ts";
import { toEpochSet } from "./epoch.ts";
import { type RenderOrder, renderMembers, toMembers } from "./record-sets.ts";

/** `observed` was just read: its spelling goes into the DELETEs. */
export interface BatchOrder extends RenderOrder {
  /** The new epoch record; its digest is that of `renderMembers` for the same order. */
  readonly epoch: Epoch;
}

/**
 * `DELETE epoch(old) + DELETE each member exactly as read + CREATE epoch(new) + CREATE each member` (DESIGN §8, algorithms §4.4). With nothing at
 * the names, only CREATEs. Throws when members stand there without an epoch record: `preflight` refuses that, so it is a bug.
 */
export const buildServiceBatch = ({ epoch, ...order }: BatchOrder): ServiceBatch => {
  const { spec, observed } = order;
  const members = toMembers(spec, observed);
  if (observed.epochSet === null && members.length > 0) throw new Error(`Service ${spec.id} has records and no epoch record.`);
  return {
    service: spec.id,
    deletes: observed.epochSet === null ? [] : [observed.epochSet, ...members],
    creates: [toEpochSet(spec, epoch), ...renderMembers(order)],
  };
};

/** The batch as people and the API see it: DELETEs first, the epoch record at the head of each half. Values keep their spelling. */
export const toBatchLines = ({ deletes, creates }: ServiceBatch): BatchLine[] => [
  ...deletes.map((set): BatchLine => ({ action: "DELETE", set: toView(set) })),
  ...creates.map((set): BatchLine => ({ action: "CREATE", set: toView(set) })),
];

/**
 * What a batch costs of Route 53's limit of 1,000 `ResourceRecord` elements a request: one for each value, of DELETEs too. An alias has no such
 * element; it is counted as one, so that the sum is never below the number of changes either. (An UPSERT counts twice; we send none.)
 */
export const countElements = ({ deletes, creates }: ServiceBatch): number =>
  [...deletes, ...creates].reduce((sum, { values }) => sum + Math.max(1, values?.length ?? 0), 0);

/**
 * What a batch costs of Route 53's limit of 32,000 characters in all `Value` elements of a request, quotes and spaces included, DELETEs too. The
 * name of an alias target is counted as if it were one.
 */
export const countCharacters = ({ deletes, creates }: ServiceBatch): number =>
  [...deletes, ...creates].reduce(
    (sum, { values, alias }) => sum + (values ?? []).reduce((total, value) => total + value.length, alias?.name.length ?? 0),
    0,
  );

export interface BatchLimits {
  readonly elementsMax: number;
  readonly charactersMax: number;
}

export interface OversizedService {
  readonly kind: "oversized";
  readonly service: ServiceId;
  readonly elements: number;
  readonly characters: number;
  readonly why: string;
}

export interface ZoneBatches {
  /** One Route 53 call each. */
  readonly groups: readonly (readonly ServiceBatch[])[];
  /** Services that don't fit into any call; they are in no group. */
  readonly oversized: readonly OversizedService[];
}

/**
 * Services of one zone into as few calls as the limits allow, each service whole: first fit in the order given, so put the urgent ones first.
 * The caller gives the batches of one zone and at most one batch per service.
 */
export const composeZoneBatches = (batches: readonly ServiceBatch[], limits: BatchLimits): ZoneBatches => {
  const groups: { readonly members: ServiceBatch[]; elements: number; characters: number }[] = [];
  const oversized: OversizedService[] = [];
  for (const batch of batches) {
    const elements = countElements(batch);
    const characters = countCharacters(batch);
    if (elements > limits.elementsMax || characters > limits.charactersMax) {
      oversized.push(toOversized({ batch, elements, characters, limits }));
      continue;
    }
    const room = groups.find(
      (group) => group.elements + elements <= limits.elementsMax && group.characters + characters <= limits.charactersMax,
    );
    if (room === undefined) {
      groups.push({ members: [batch], elements, characters });
      continue;
    }
    room.members.push(batch);
    room.elements += elements;
    room.characters += characters;
  }
  return { groups: groups.map(({ members }) => members), oversized };
};

const toOversized = (of: {
  readonly batch: ServiceBatch;
  readonly elements: number;
  readonly characters: number;
  readonly limits: BatchLimits;
}): OversizedService => ({
  kind: "oversized",
  service: of.batch.service,
  elements: of.elements,
  characters: of.characters,
  why: `Service ${of.batch.service} needs ${of.elements} elements and ${of.characters} characters in one call; the limits are ${of.limits.elementsMax} and ${of.limits.charactersMax}.`,
});

const toView = ({ other: _, values, alias, ...plain }: RecordSet): BatchLine["set"] => ({
  ...plain,
  ...(values === undefined ? {} : { values: [...values] }),
  ...(alias === undefined ? {} : { alias: { ...alias } }),
});
