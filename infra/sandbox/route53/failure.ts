/** Route 53's errors, with the HTTP status and the markup of the real service. Pure. */
import { type Node, writeXml } from "./xml.ts";

const statusByCode = {
  AccessDenied: 403,
  HealthCheckAlreadyExists: 409,
  HealthCheckInUse: 400,
  HealthCheckVersionMismatch: 409,
  HostedZoneAlreadyExists: 409,
  HostedZoneNotEmpty: 400,
  IncompleteSignature: 400,
  InternalFailure: 500,
  InvalidChangeBatch: 400,
  InvalidClientTokenId: 403,
  InvalidDomainName: 400,
  InvalidInput: 400,
  MalformedInput: 400,
  MissingAuthenticationToken: 403,
  NoSuchChange: 404,
  NoSuchHealthCheck: 404,
  NoSuchHostedZone: 404,
  PriorRequestNotComplete: 400,
  RequestEntityTooLarge: 413,
  RequestExpired: 400,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  Throttling: 400,
  TooManyHealthChecks: 400,
  TooManyHostedZones: 400,
  UnknownOperationException: 404,
} as const;

export type FailureCode = keyof typeof statusByCode;

export interface Failure {
  readonly kind: "failure";
  readonly code: FailureCode;
  readonly status: number;
  /** One message, or for InvalidChangeBatch one for each thing that is wrong. */
  readonly messages: readonly string[];
}

export const fail = (code: FailureCode, ...messages: readonly string[]): Failure => ({
  kind: "failure",
  code,
  status: statusByCode[code],
  messages,
});

export const invalidInput = (message: string): Failure => fail("InvalidInput", `Invalid request: ${message}`);
export const throttled = (): Failure => fail("Throttling", "Rate exceeded");
export const priorRequestNotComplete = (): Failure =>
  fail("PriorRequestNotComplete", "The request was rejected because Route 53 was still processing a prior request.");
export const noSuchHostedZone = (id: string): Failure => fail("NoSuchHostedZone", `No hosted zone found with ID: ${id}`);
export const noSuchHealthCheck = (id: string): Failure =>
  fail("NoSuchHealthCheck", `A health check with id ${id} does not exist.`);

/**
 * How a refused batch is written. The service has used both: `error-response` is what it sends today, with all messages in one
 * bracketed text; `messages` is the form of its reference, which has no code, so that AWS SDK 3 calls it `Unknown`.
 */
export type InvalidChangeBatchForm = "error-response" | "messages";

export const writeFailure = (failure: Failure, requestId: string, form: InvalidChangeBatchForm): string => {
  const isBatch = failure.code === "InvalidChangeBatch";
  if (isBatch && form === "messages")
    return writeXml([
      "InvalidChangeBatch",
      [
        ["Messages", failure.messages.map((message): Node => ["Message", message])],
        ["RequestId", requestId],
      ],
    ]);
  const message = isBatch ? `[${failure.messages.join(", ")}]` : failure.messages.join(" ");
  return writeXml([
    "ErrorResponse",
    [
      [
        "Error",
        [
          ["Type", failure.status >= 500 ? "Receiver" : "Sender"],
          ["Code", failure.code],
          ["Message", message],
        ],
      ],
      ["RequestId", requestId],
    ],
  ]);
};
