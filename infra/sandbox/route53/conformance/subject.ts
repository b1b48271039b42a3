/** What an expectation is asked of, and the few words that all expectations share. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  type ChangeResourceRecordSetsCommandOutput,
  ListResourceRecordSetsCommand,
  type ListResourceRecordSetsCommandInput,
  type ResourceRecordSet,
  type Route53Client,
} from "@aws-sdk/client-route-53";
import type { Source } from "./sources.ts";

export interface Subject {
  /** The unmodified SDK client, pointed at the sandbox or at AWS. */
  readonly client: Route53Client;
  readonly zoneId: string;
  /** `example.test`, without last dot. */
  readonly zoneName: string;
  /** The random label of this run: nothing is written but names below it, and all of them are removed again. */
  readonly label: string;
  /** A health check of the account; it is attached to names of ours and else left alone. Absent: what needs it is left out. */
  readonly healthCheckId?: string;
  /** Lets the next change calls be answered so. Only a sandbox can. */
  readonly provoke?: (answer: "throttle" | "prior-request", calls: number) => void;
}

/** One thing that Route 53 does, in a sentence, why it matters, who says so, and how to see it. */
export interface Expectation {
  readonly title: string;
  /** What of Regent would break without it. */
  readonly why: string;
  readonly source: Source;
  /** Why no real zone is asked; absent: it is. */
  readonly sandboxOnly?: string;
  /** It attaches a health check, so it needs the id of one. */
  readonly needsHealthCheck?: true;
  readonly run: (subject: Subject) => Promise<void>;
}

export interface ExpectationGroup {
  readonly title: string;
  readonly expectations: readonly Expectation[];
}

/** Where calls about one name go, and that name (without last dot). */
export interface Place extends Omit<Subject, "label"> {
  readonly name: string;
}

/** Too long to be there by chance, and it says whose it is. */
export const newLabel = (): string => `regent-conformance-${randomBytes(8).toString("hex")}`;

let counter = 0;

/** An expectation that writes at or below one fresh name; everything there is deleted afterwards, after a failure too. */
export const expectation = (
  told: Omit<Expectation, "run">,
  run: (place: Place & Pick<Subject, "label">) => Promise<void>,
): Expectation => ({
  ...told,
  run: async (subject) => {
    const place = { ...subject, name: `e${++counter}.${subject.label}.${subject.zoneName}` };
    try {
      await run(place);
    } catch (error) {
      // What failed is the news. Leftovers are removed by the last sweep of the label.
      await sweep(place).catch(() => undefined);
      throw error;
    }
    await sweep(place);
  },
});

/** Removes everything below the run's label. For the end of a run, whatever came of it. */
export const sweepLabel = (subject: Subject): Promise<void> =>
  sweep({ ...subject, name: `${subject.label}.${subject.zoneName}` });

type Zone = Pick<Subject, "client" | "zoneId"> & Partial<Pick<Subject, "zoneName">>;

export const send = ({ client, zoneId }: Zone, ...changes: readonly Change[]): Promise<ChangeResourceRecordSetsCommandOutput> =>
  client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: zoneId, ChangeBatch: { Changes: [...changes] } }));

export const create = (set: ResourceRecordSet): Change => ({ Action: "CREATE", ResourceRecordSet: set });
export const remove = (set: ResourceRecordSet): Change => ({ Action: "DELETE", ResourceRecordSet: set });
export const upsert = (set: ResourceRecordSet): Change => ({ Action: "UPSERT", ResourceRecordSet: set });

export const values = (...texts: readonly string[]) => texts.map((Value) => ({ Value }));
export const a = (name: string, ...addresses: readonly string[]): ResourceRecordSet => ({
  Name: name,
  Type: "A",
  TTL: 60,
  ResourceRecords: values(...addresses),
});
export const txt = (name: string, ...texts: readonly string[]): ResourceRecordSet => ({
  Name: name,
  Type: "TXT",
  TTL: 60,
  ResourceRecords: values(...texts),
});
export const cname = (name: string, target: string): ResourceRecordSet => ({
  Name: name,
  Type: "CNAME",
  TTL: 60,
  ResourceRecords: values(target),
});
export const weighted = (name: string, SetIdentifier: string, Weight: number): ResourceRecordSet => ({
  ...a(name, `192.0.2.${(SetIdentifier.charCodeAt(0) % 200) + 1}`),
  SetIdentifier,
  Weight,
});
/** An alias in the same zone. */
export const alias = (place: Zone, name: string, target: string, type: "A" | "AAAA" = "A"): ResourceRecordSet => ({
  Name: name,
  Type: type,
  AliasTarget: { HostedZoneId: place.zoneId, DNSName: target, EvaluateTargetHealth: true },
});

/** Everything at the name and below it, as listed. They stand together in a listing, so it ends at the first other name. */
export const listed = async ({ client, zoneId, name }: Zone & Pick<Place, "name">): Promise<ResourceRecordSet[]> => {
  const isOurs = (other: string | undefined): boolean => other === `${name}.` || other?.endsWith(`.${name}.`) === true;
  const found: ResourceRecordSet[] = [];
  let start: Omit<ListResourceRecordSetsCommandInput, "HostedZoneId"> | undefined = { StartRecordName: name };
  while (start !== undefined) {
    const page: Awaited<ReturnType<typeof list>> = await list({ client, zoneId }, start);
    found.push(...(page.ResourceRecordSets ?? []).filter((set) => isOurs(set.Name)));
    start = isOurs(page.NextRecordName) ? nextPage(page) : undefined;
  }
  return found;
};

export const list = ({ client, zoneId }: Zone, from: Omit<ListResourceRecordSetsCommandInput, "HostedZoneId">) =>
  client.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId, ...from }));

/** Where the page after this one starts. */
export const nextPage = (page: Awaited<ReturnType<typeof list>>): Omit<ListResourceRecordSetsCommandInput, "HostedZoneId"> => ({
  StartRecordName: page.NextRecordName,
  StartRecordType: page.NextRecordType,
  StartRecordIdentifier: page.NextRecordIdentifier,
});

/** Half of what a batch may hold (1,000 values, 32,000 characters), so that no counting of Route 53's can refuse a clean-up. */
const SWEEP_VALUES_MAX = 500;
const SWEEP_CHARACTERS_MAX = 16_000;

const sweep = async (place: Zone & Pick<Place, "name">): Promise<void> => {
  const left = await listed(place);
  // Aliases first, so that nothing points at what goes.
  const inOrder = [...left.filter((set) => set.AliasTarget), ...left.filter((set) => !set.AliasTarget)];
  let batch: Change[] = [];
  let [count, characters] = [0, 0];
  for (const set of inOrder) {
    const texts = (set.ResourceRecords ?? []).map(({ Value }) => Value ?? "");
    const length = texts.join("").length;
    if (batch.length > 0 && (count + texts.length > SWEEP_VALUES_MAX || characters + length > SWEEP_CHARACTERS_MAX)) {
      await send(place, ...batch);
      [batch, count, characters] = [[], 0, 0];
    }
    batch.push(remove(set));
    count += Math.max(1, texts.length);
    characters += length;
  }
  if (batch.length > 0) await send(place, ...batch);
};

/** The error that a call ends with; fails if it doesn't. */
export const refusal = async (call: Promise<unknown>): Promise<{ name: string; message: string; status: number | undefined }> => {
  try {
    await call;
  } catch (error) {
    const { name, message, $metadata } = error as { name: string; message: string; $metadata?: { httpStatusCode?: number } };
    return { name, message, status: $metadata?.httpStatusCode };
  }
  return assert.fail("the call was accepted");
};

export const assertRefused = async (call: Promise<unknown>, name: string, message: RegExp): Promise<void> => {
  const error = await refusal(call);
  assert.equal(error.name, name, error.message);
  assert.match(error.message, message);
};
