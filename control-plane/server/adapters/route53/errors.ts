/**
 * What an error of a Route 53 call means. Pure. The one question that matters after a send is "may it have been applied?":
 * only an answer of Route 53 itself, with a code that says so, is taken as a no; everything else is `unclear`.
 */
import type { ChangeProgress, ReadResult, SendResult } from "../../ports/dns-provider.ts";
import { GuardRefused } from "../guard/guards.ts";
import { MESSAGES_MAX, WHY_CHARACTERS_MAX } from "./limits.ts";

export type CallFault =
  | { readonly kind: "throttled" }
  | { readonly kind: "busy" }
  | { readonly kind: "refused"; readonly messages: readonly string[] }
  | { readonly kind: "denied"; readonly why: string }
  | { readonly kind: "missing"; readonly why: string }
  | { readonly kind: "unclear"; readonly why: string };

const throttleCodes = new Set([
  "Throttling",
  "ThrottlingException",
  "ThrottledException",
  "RequestThrottled",
  "RequestThrottledException",
]);
const deniedCodes = new Set([
  "AccessDenied",
  "AccessDeniedException",
  "AuthFailure",
  "ExpiredToken",
  "ExpiredTokenException",
  "IncompleteSignature",
  "InvalidClientTokenId",
  "MissingAuthenticationToken",
  "NoSuchHostedZone",
  "NotAuthorized",
  "OptInRequired",
  "SignatureDoesNotMatch",
  "UnauthorizedOperation",
  "UnrecognizedClientException",
]);
/** The batch itself is at fault and was not applied; its neighbours may be fine, so the caller may take it apart by services. */
const refusedCodes = new Set([
  "InvalidChangeBatch",
  "InvalidInput",
  "MalformedInput",
  "NoSuchHealthCheck",
  "RequestEntityTooLarge",
]);
const missingCodes = new Set(["NoSuchChange", "NotFound"]);
/** The SDK learns the clock's error from such an answer and signs the next call right: not a lack of rights. */
const clockCodes = new Set(["RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture"]);
/** Their texts may quote the signed request. */
const quotingCodes = new Set(["IncompleteSignature", "SignatureDoesNotMatch"]);

/** What is read of an error, whoever threw it. */
interface ErrorFacts {
  readonly code: string;
  readonly text: string;
  readonly status: number | undefined;
  readonly messages: readonly string[];
}

export const classifyError = (error: unknown): CallFault => {
  const facts = factsOf(error);
  if (facts.code === "CredentialsProviderError") return { kind: "denied", why: whyOf(facts) };
  const isAnswered = facts.status !== undefined && facts.status >= 400 && facts.status < 500;
  if (!isAnswered) return { kind: "unclear", why: whyOf(facts) };
  if (throttleCodes.has(facts.code) || facts.status === 429) return { kind: "throttled" };
  if (facts.code === "PriorRequestNotComplete") return { kind: "busy" };
  if (clockCodes.has(facts.code) || /^Signature (expired|not yet current)/.test(facts.text))
    return { kind: "unclear", why: whyOf(facts) };
  if (deniedCodes.has(facts.code)) return { kind: "denied", why: whyOf(facts) };
  if (missingCodes.has(facts.code)) return { kind: "missing", why: whyOf(facts) };
  if (refusedCodes.has(facts.code)) return { kind: "refused", messages: messagesOf(facts) };
  // The form of Route 53's reference has messages and no code; the SDK calls it Unknown.
  if (facts.status === 400 && facts.messages.length > 0) return { kind: "refused", messages: messagesOf(facts) };
  return { kind: "unclear", why: whyOf(facts) };
};

/**
 * Does this error say that Route 53 is away or broken? No answer and 5xx do. A call that was throttled, refused or denied was answered, as
 * was one whose signature our own clock made wrong.
 */
export const speaksAgainstService = (error: unknown): boolean => {
  const { status = 0 } = factsOf(error);
  return classifyError(error).kind === "unclear" && !(status >= 400 && status < 500);
};

export const toSendResult = (error: unknown): SendResult => {
  if (error instanceof GuardRefused) return { kind: "not-sent", why: error.message, nextTryMs: error.nextTryMs };
  const fault = classifyError(error);
  switch (fault.kind) {
    case "throttled":
    case "busy":
    case "refused":
    case "denied":
      return fault;
    case "missing":
    case "unclear":
      return { kind: "unknown", why: fault.why };
  }
};

export const toReadFailure = (error: unknown): Exclude<ReadResult, { kind: "sets" }> => {
  const fault = classifyError(error);
  switch (fault.kind) {
    case "throttled":
    case "busy":
      return { kind: "throttled" };
    case "denied":
      return fault;
    case "refused":
      return { kind: "failed", why: fault.messages.join("; ").slice(0, WHY_CHARACTERS_MAX) };
    case "missing":
    case "unclear":
      return { kind: "failed", why: fault.why };
  }
};

export const toProgressFailure = (error: unknown): ChangeProgress => {
  const fault = classifyError(error);
  switch (fault.kind) {
    case "throttled":
    case "busy":
      return { kind: "throttled" };
    case "missing":
      return { kind: "missing" };
    case "refused":
      return { kind: "failed", why: fault.messages.join("; ").slice(0, WHY_CHARACTERS_MAX) };
    case "denied":
    case "unclear":
      return { kind: "failed", why: fault.why };
  }
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null;
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

const factsOf = (error: unknown): ErrorFacts => {
  if (!isRecord(error)) return { code: "", text: String(error), status: undefined, messages: [] };
  const metadata = isRecord(error.$metadata) ? error.$metadata : {};
  const status = typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
  const text = textOf(error.message);
  const code = textOf(error.name) === "Error" && textOf(error.code) !== "" ? textOf(error.code) : textOf(error.name);
  return { code, text, status, messages: [...textsIn(error.messages), ...textsIn(error.Messages)] };
};

/** Texts of a list, or of the `{ Message: … }` that an unparsed answer leaves. */
const textsIn = (value: unknown): string[] => {
  if (typeof value === "string") return value.trim() === "" ? [] : [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isRecord(value) && "Message" in value ? textsIn(value.Message) : [];
};

const whyOf = ({ code, text, status }: ErrorFacts): string => {
  const said = quotingCodes.has(code) ? "the signature is not accepted" : redact(text);
  return `${code || "Error"}${status === undefined ? "" : ` (${status})`}: ${said}`.slice(0, WHY_CHARACTERS_MAX);
};

/** Key ids and signatures never leave this file, whatever a text quotes. */
const redact = (text: string): string =>
  text
    .replace(/\b(AKIA|ASIA)[A-Z0-9]{8,}/g, "[key id]")
    .replace(/\b(Signature|Credential|X-Amz-[A-Za-z-]+)=[^\s,&]+/g, "$1=[removed]");

/** One sentence an entry: Route 53 also writes all of them in one bracketed text. */
const messagesOf = ({ messages, text, code }: ErrorFacts): string[] => {
  const all = messages.length > 0 ? messages : splitMessages(text);
  const known = all.length > 0 ? all : [code];
  return known.slice(0, MESSAGES_MAX).map((message) => redact(message).slice(0, WHY_CHARACTERS_MAX));
};

const splitMessages = (text: string): string[] => {
  const inner = /^\[(.*)\]$/s.exec(text.trim())?.[1];
  if (inner === undefined) return text.trim() === "" ? [] : [text];
  return inner.split(/, (?=(?:Tried to|RRSet|Invalid|The request|A HostedZone|Exceeded|Number of|Duplicate) ?)/);
};
