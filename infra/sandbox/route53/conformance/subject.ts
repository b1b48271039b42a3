/** What an expectation is asked of, and the few words that all expectations share. */
import assert from "node:assert/strict";
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  type ChangeResourceRecordSetsCommandOutput,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  type Route53Client,
} from "@aws-sdk/client-route-53";

export interface Subject {
  /** The unmodified SDK client, pointed at the sandbox or at AWS. */
  readonly client: Route53Client;
  /** A zone that this suite may write in; it removes what it writes. */
  readonly zoneId: string;
  /** `example.test`, without last dot. */
  readonly zoneName: string;
}

/** One thing that Route 53 does, in a sentence, and how to see it. */
export interface Expectation {
  readonly title: string;
  readonly run: (subject: Subject) => Promise<void>;
}

/** A subject and a name of its own below the zone (without last dot). */
export interface Place extends Subject {
  readonly name: string;
}

let counter = 0;

/** An expectation that writes at or below one fresh name; everything there is deleted afterwards. */
export const expectation = (title: string, run: (place: Place) => Promise<void>): Expectation => ({
  title,
  run: async (subject) => {
    const name = `c${Date.now().toString(36)}${(++counter).toString(36)}.${subject.zoneName}`;
    const place = { ...subject, name };
    try {
      await run(place);
    } finally {
      await sweep(place);
    }
  },
});

export const send = (
  { client, zoneId }: Subject,
  ...changes: readonly Change[]
): Promise<ChangeResourceRecordSetsCommandOutput> =>
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

/** Everything at the name and below it, as listed. */
export const listed = async ({ client, zoneId, name }: Place): Promise<ResourceRecordSet[]> => {
  const output = await client.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId, StartRecordName: name }));
  return (output.ResourceRecordSets ?? []).filter((set) => set.Name === `${name}.` || set.Name?.endsWith(`.${name}.`));
};

const sweep = async (place: Place): Promise<void> => {
  const left = await listed(place);
  if (left.length === 0) return;
  // Aliases first, so that nothing points at what goes.
  const inOrder = [...left.filter((set) => set.AliasTarget), ...left.filter((set) => !set.AliasTarget)];
  await send(place, ...inOrder.map(remove));
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
