/**
 * What was asked and what came back, one entry a call, fit to be shown to anybody: no header, no key, no name outside the run's label.
 * Sits on the SDK client, before it signs, so it never sees a credential. Also the last guard: a call that would write anything but
 * names below the label isn't sent.
 */
import type { Change, ResourceRecordSet, Route53Client } from "@aws-sdk/client-route-53";
import { z } from "zod";

const Shape = z.record(z.string(), z.unknown());

export const TranscriptEntry = z.strictObject({
  /** The title of the expectation that the call serves; `clean-up` for the last sweep. */
  expectation: z.string().min(1),
  operation: z.enum([
    "ChangeResourceRecordSets",
    "ListResourceRecordSets",
    "GetChange",
    "GetHostedZone",
    "GetHealthCheck",
    "GetHealthCheckStatus",
  ]),
  request: Shape,
  /** Of a refusal: code, HTTP status and, where it is Route 53's own, the message. */
  answer: z.union([
    z.strictObject({ accepted: Shape }),
    z.strictObject({
      refused: z.strictObject({ code: z.string(), status: z.number().optional(), message: z.string().optional() }),
    }),
  ]),
});
export type TranscriptEntry = z.infer<typeof TranscriptEntry>;

export interface Transcript {
  readonly entries: readonly TranscriptEntry[];
  /** Every call from now on serves this. */
  readonly serve: (expectation: string) => void;
}

/** Long lists and texts are cut to this many items and characters: a reader wants the shape. */
const ITEMS_SHOWN = 4;
const CHARACTERS_SHOWN = 200;
/** Refusals whose text is Route 53's own about the request. Others (of signatures, of rights) may quote what nobody should see. */
const quotable = new Set([
  "InvalidChangeBatch",
  "InvalidInput",
  "NoSuchChange",
  "NoSuchHealthCheck",
  "NoSuchHostedZone",
  "PriorRequestNotComplete",
  "Throttling",
]);

export const recordTranscript = (
  client: Route53Client,
  { label, zoneName }: { readonly label: string; readonly zoneName: string },
): Transcript => {
  const entries: TranscriptEntry[] = [];
  let serving = "none";
  const isOurs = (name: string | undefined): boolean => {
    const bare = name?.toLowerCase().replace(/\.$/, "") ?? "";
    return bare === `${label}.${zoneName}` || bare.endsWith(`.${label}.${zoneName}`);
  };
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const operation = TranscriptEntry.shape.operation.safeParse(context.commandName?.replace(/Command$/, ""));
      if (!operation.success) throw new Error(`not sent: ${context.commandName} is none of the calls that this suite makes`);
      const input = args.input as { ChangeBatch?: { Changes?: Change[] } };
      for (const { ResourceRecordSet: set } of input.ChangeBatch?.Changes ?? [])
        if (!isOurs(set?.Name)) throw new Error(`not sent: ${set?.Name} is not below the label ${label}`);
      const entry = { expectation: serving, operation: operation.data, request: cut(args.input) as Record<string, unknown> };
      try {
        const result = await next(args);
        entries.push({ ...entry, answer: { accepted: shapeOf(result.output, isOurs) } });
        return result;
      } catch (error) {
        entries.push({ ...entry, answer: { refused: refusalOf(error) } });
        throw error;
      }
    },
    { step: "initialize", name: "transcript" },
  );
  return { entries, serve: (expectation) => (serving = expectation) };
};

const refusalOf = (error: unknown): { code: string; status?: number; message?: string } => {
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  return {
    code: name,
    ...(status === undefined ? {} : { status }),
    ...(quotable.has(name) ? { message: cut(message) as string } : {}),
  };
};

interface Answer {
  readonly ChangeInfo?: unknown;
  readonly ResourceRecordSets?: ResourceRecordSet[];
  readonly IsTruncated?: boolean;
  readonly NextRecordName?: string;
  readonly NextRecordType?: string;
  readonly NextRecordIdentifier?: string;
  readonly MaxItems?: number;
  readonly DelegationSet?: { readonly NameServers?: unknown };
  readonly HealthCheckObservations?: readonly unknown[];
}

/** What is known to be harmless; everything else of an answer is left out, other people's names first of all. */
const shapeOf = (output: object, isOurs: (name: string | undefined) => boolean): Record<string, unknown> => {
  const answer = output as Answer;
  const sets = answer.ResourceRecordSets;
  const shape = {
    ChangeInfo: answer.ChangeInfo,
    ResourceRecordSets: sets?.filter((set) => isOurs(set.Name)),
    recordSetsOutsideTheLabel: sets?.filter((set) => !isOurs(set.Name)).length,
    IsTruncated: answer.IsTruncated,
    ...(isOurs(answer.NextRecordName)
      ? {
          NextRecordName: answer.NextRecordName,
          NextRecordType: answer.NextRecordType,
          NextRecordIdentifier: answer.NextRecordIdentifier,
        }
      : {}),
    MaxItems: answer.MaxItems,
    NameServers: answer.DelegationSet?.NameServers,
    HealthCheckObservations: answer.HealthCheckObservations?.length,
  };
  return cut(shape) as Record<string, unknown>;
};

/** The same, as JSON would have it, with long lists and texts cut. */
const cut = (value: unknown): unknown => {
  if (typeof value === "string")
    return value.length <= CHARACTERS_SHOWN ? value : `${value.slice(0, CHARACTERS_SHOWN)}… (${value.length} characters)`;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) {
    const shown = value.slice(0, ITEMS_SHOWN).map(cut);
    return value.length <= ITEMS_SHOWN ? shown : [...shown, `… and ${value.length - ITEMS_SHOWN} more`];
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .map(([key, part]) => [key, cut(part)]),
  );
};
