import { describe, expect, test } from "vitest";
import { toProgressFailure, toReadFailure, toSendResult } from "./errors.ts";

/** As the SDK throws it. */
const awsError = (name: string, status: number | undefined, fields: object = {}) =>
  Object.assign(new Error("said so"), { name, $metadata: { httpStatusCode: status }, ...fields });
const codeError = (code: string) => Object.assign(new Error(`connect ${code} 127.0.0.1:1`), { code });

describe("what an error means", () => {
  test.for([
    ["Throttling", 400, "throttled", "throttled", "throttled"],
    ["ThrottlingException", 400, "throttled", "throttled", "throttled"],
    ["TooManyRequests", 429, "throttled", "throttled", "throttled"],
    ["PriorRequestNotComplete", 400, "busy", "throttled", "throttled"],
    ["InvalidChangeBatch", 400, "refused", "failed", "failed"],
    ["InvalidInput", 400, "refused", "failed", "failed"],
    ["NoSuchHealthCheck", 404, "refused", "failed", "failed"],
    ["AccessDenied", 403, "denied", "denied", "failed"],
    ["NoSuchHostedZone", 404, "denied", "denied", "failed"],
    ["InvalidClientTokenId", 403, "denied", "denied", "failed"],
    ["SignatureDoesNotMatch", 403, "denied", "denied", "failed"],
    ["ExpiredToken", 403, "denied", "denied", "failed"],
    ["CredentialsProviderError", undefined, "denied", "denied", "failed"],
    ["NoSuchChange", 404, "unknown", "failed", "missing"],
    ["RequestExpired", 400, "unknown", "failed", "failed"],
    ["ServiceUnavailable", 503, "unknown", "failed", "failed"],
    ["InternalFailure", 500, "unknown", "failed", "failed"],
    ["SomethingNew", 400, "unknown", "failed", "failed"],
    ["DeadlinePassed", undefined, "unknown", "failed", "failed"],
    ["SyntaxError", undefined, "unknown", "failed", "failed"],
  ] as const)("%s (%s): a send is %s, a read %s, a change's progress %s", ([name, status, send, read, progress]) => {
    const error = awsError(name, status);
    expect([toSendResult(error).kind, toReadFailure(error).kind, toProgressFailure(error).kind]).toEqual([send, read, progress]);
  });

  test.for(["Throttling", "PriorRequestNotComplete", "InvalidChangeBatch", "AccessDenied"])(
    "%s with a status of 500 or none is no answer of Route 53",
    (name) => {
      expect(toSendResult(awsError(name, 500)).kind).toBe("unknown");
      expect(toSendResult(awsError(name, undefined)).kind).toBe("unknown");
    },
  );

  test.for(["ECONNRESET", "ECONNREFUSED", "ETIMEDOUT", "EPIPE"])("%s is unknown and names itself", (code) => {
    expect(toSendResult(codeError(code))).toMatchObject({ kind: "unknown", why: expect.stringContaining(code) });
  });

  test("a signature that our clock made old passes with the next call", () => {
    const error = awsError("SignatureDoesNotMatch", 403, {
      message: "Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z",
    });
    expect(toSendResult(error).kind).toBe("unknown");
  });

  test.for([undefined, null, "text", 7])("even %j thrown is a value", (thrown) =>
    expect(toSendResult(thrown).kind).toBe("unknown"),
  );
});

describe("messages of a refused batch", () => {
  const first = "Tried to delete resource record set [name='a.', type='A', set-identifier='x'] but it was not found";
  const second =
    "RRSet with DNS name a., type A, SetIdentifier x cannot be created as a non-weighted set exists with the same name and type.";

  test("are listed one by one, in each of Route 53's forms", () => {
    const bracketed = awsError("InvalidChangeBatch", 400, { message: `[${first}, ${second}]` });
    const listed = awsError("InvalidChangeBatch", 400, { messages: [first, second] });
    const withoutCode = awsError("Unknown", 400, { message: "UnknownError", Messages: { Message: [first, second] } });
    const single = awsError("Unknown", 400, { Messages: { Message: first } });
    for (const error of [bracketed, listed, withoutCode])
      expect(toSendResult(error)).toEqual({ kind: "refused", messages: [first, second] });
    expect(toSendResult(single)).toEqual({ kind: "refused", messages: [first] });
  });

  test("are never empty", () => {
    expect(toSendResult(awsError("InvalidChangeBatch", 400, { message: "" }))).toEqual({
      kind: "refused",
      messages: ["InvalidChangeBatch"],
    });
  });

  test("are kept within limits", () => {
    const result = toSendResult(
      awsError("InvalidChangeBatch", 400, { messages: Array.from({ length: 1_000 }, () => "x".repeat(5_000)) }),
    );
    expect(JSON.stringify(result).length).toBeLessThan(70_000);
  });
});

test("no key, signature or token stands in a sentence", () => {
  const text = "AKIAIOSFODNN7EXAMPLE Credential=AKIAIOSFODNN7EXAMPLE/20260101, Signature=abcdef0123 X-Amz-Security-Token=secret";
  const whys = ["AccessDenied", "IncompleteSignature", "SignatureDoesNotMatch", "Other"].map((name) =>
    JSON.stringify(toSendResult(awsError(name, 403, { message: text }))),
  );
  for (const why of whys) expect(why).not.toMatch(/AKIA|abcdef0123|secret/);
});
