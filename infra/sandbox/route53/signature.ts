/**
 * Verifies AWS Signature Version 4 of a request, as the real endpoint would: wrong key, wrong secret, altered request and
 * stale date are told apart. Pure. Called by the server before anything else looks at the request.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { SIGNATURE_SKEW_MS_MAX } from "../limits.ts";
import { type Failure, fail } from "./failure.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface SignedRequest {
  readonly method: string;
  /** Path as sent, without query. */
  readonly path: string;
  /** Query as sent, without `?`. */
  readonly query: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

const sha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
const decode = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
};

interface Authorization {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const parseAuthorization = (header: string): Authorization | undefined => {
  const match =
    /^AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request,\s*SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})$/.exec(
      header.trim(),
    );
  if (!match) return undefined;
  const [, accessKeyId, date, region, service, headers, signature] = match as unknown as string[];
  return {
    accessKeyId: accessKeyId!,
    date: date!,
    region: region!,
    service: service!,
    signedHeaders: headers!.split(";"),
    signature: signature!,
  };
};

const canonicalQuery = (query: string): string =>
  query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const equals = pair.indexOf("=");
      const [key, value] = equals === -1 ? [pair, ""] : [pair.slice(0, equals), pair.slice(equals + 1)];
      return [encode(decode(key)), encode(decode(value))] as const;
    })
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0))
    .map(([key, value]) => `${key}=${value}`)
    .join("&");

const canonicalRequest = (request: SignedRequest, signedHeaders: readonly string[]): string =>
  [
    request.method,
    request.path.split("/").map(encode).join("/") || "/",
    canonicalQuery(request.query),
    ...signedHeaders.map((name) => `${name}:${(request.headers[name] ?? "").trim().replace(/\s+/g, " ")}`),
    "",
    signedHeaders.join(";"),
    sha256(request.body),
  ].join("\n");

const signingKey = (secret: string, { date, region, service }: Authorization): Buffer =>
  hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), service), "aws4_request");

/** `20261122T080304Z` -> epoch ms; NaN if it isn't one. */
const parseAmzDate = (text: string): number =>
  Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
const toAmzDate = (ms: number): string => new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, "");

const checkDate = (amzDate: string, now: number): Failure | undefined => {
  const signed = parseAmzDate(amzDate);
  if (!Number.isFinite(signed)) return fail("IncompleteSignature", `Date must be in ISO-8601 'basic format'. Got '${amzDate}'.`);
  // Route 53 gives a stale date the same code as a wrong signature; only the text differs.
  if (signed < now - SIGNATURE_SKEW_MS_MAX)
    return fail(
      "SignatureDoesNotMatch",
      `Signature expired: ${amzDate} is now earlier than ${toAmzDate(now - SIGNATURE_SKEW_MS_MAX)} (${toAmzDate(now)} - 5 min.)`,
    );
  if (signed > now + SIGNATURE_SKEW_MS_MAX)
    return fail(
      "SignatureDoesNotMatch",
      `Signature not yet current: ${amzDate} is still later than ${toAmzDate(now + SIGNATURE_SKEW_MS_MAX)} (${toAmzDate(now)} + 5 min.)`,
    );
  return undefined;
};

const mismatch = (text: string): Failure => fail("SignatureDoesNotMatch", text);

/** Undefined if the signature is right; else the failure to answer. */
export const verifySignature = (
  request: SignedRequest,
  credentials: readonly Credentials[],
  now: number,
): Failure | undefined => {
  const header = request.headers.authorization;
  if (header === undefined) return fail("MissingAuthenticationToken", "Missing Authentication Token");
  const authorization = parseAuthorization(header);
  const amzDate = request.headers["x-amz-date"];
  if (!authorization || amzDate === undefined)
    return fail("IncompleteSignature", "Authorization header is not a complete AWS Signature Version 4.");
  const key = credentials.find(({ accessKeyId }) => accessKeyId === authorization.accessKeyId);
  if (!key) return fail("InvalidClientTokenId", "The security token included in the request is invalid.");
  const stale = checkDate(amzDate, now);
  if (stale) return stale;
  if (authorization.service !== "route53") return mismatch("Credential should be scoped to correct service: 'route53'.");
  if (authorization.date !== amzDate.slice(0, 8))
    return mismatch("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.");
  if (!authorization.signedHeaders.includes("host")) return mismatch("'Host' must be a 'SignedHeader' in the AWS Authorization.");
  const scope = `${authorization.date}/${authorization.region}/${authorization.service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", amzDate, scope, sha256(canonicalRequest(request, authorization.signedHeaders))].join("\n");
  const expected = hmac(signingKey(key.secretAccessKey, authorization), text);
  const isRight = timingSafeEqual(expected, Buffer.from(authorization.signature, "hex"));
  return isRight
    ? undefined
    : mismatch(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
      );
};
