/** The door: signatures, stale dates, spoiled bodies, sizes. Plain HTTP, because no SDK would send these. */
import { createHash, createHmac } from "node:crypto";
import { get } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { REQUEST_BODY_BYTES_MAX } from "../limits.ts";
import { createRoute53, type Route53 } from "./index.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "sandbox-secret" };
const clock = Date.parse("2026-11-22T08:00:00Z");
let route53: Route53;
let host: string;
let zoneId: string;

beforeAll(async () => {
  route53 = createRoute53({ credentials: [credentials] }, { now: () => clock });
  const created = route53.store.createZone({ name: "example.test.", callerReference: "server" });
  if (created.kind !== "created") throw new Error(created.kind);
  zoneId = created.zone.head.id;
  host = `127.0.0.1:${(await route53.listen(0)).port}`;
});
afterAll(() => route53.close());

interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
  /** What travels in place of the signed body. */
  readonly sentBody?: string;
  readonly secret?: string;
  readonly accessKeyId?: string;
  readonly at?: number;
  readonly service?: string;
}

/** Signs by the letter of the specification, on its own, so that it can't share a mistake with the verifier. */
const ask = async ({
  method = "GET",
  path,
  body = "",
  sentBody = body,
  secret = credentials.secretAccessKey,
  accessKeyId = credentials.accessKeyId,
  at = clock,
  service = "route53",
}: Sent) => {
  const amzDate = new Date(at).toISOString().replace(/[-:]|\.\d+/g, "");
  const day = amzDate.slice(0, 8);
  const [pathname, query = ""] = path.split("?");
  const canonical = `${method}\n${pathname}\n${query}\nhost:${host}\nx-amz-date:${amzDate}\n\nhost;x-amz-date\n${createHash("sha256").update(body).digest("hex")}`;
  const scope = `${day}/us-east-1/${service}/aws4_request`;
  let key: Buffer | string = `AWS4${secret}`;
  for (const part of [day, "us-east-1", service, "aws4_request"]) key = createHmac("sha256", key).update(part).digest();
  const signature = createHmac("sha256", key)
    .update(`AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n${createHash("sha256").update(canonical).digest("hex")}`)
    .digest("hex");
  const response = await fetch(`http://${host}${path}`, {
    method,
    headers: {
      "x-amz-date": amzDate,
      authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}`,
    },
    ...(method === "GET" ? {} : { body: sentBody }),
  });
  const text = await response.text();
  return { status: response.status, code: /<Code>(.*?)<\/Code>/.exec(text)?.[1], text };
};

const zones = "/2013-04-01/hostedzone";
const minutes = 60_000;

describe("a signature", () => {
  test("that is right opens the door", async () => {
    expect(await ask({ path: zones })).toMatchObject({ status: 200 });
    expect(await ask({ path: `${zones}?marker=&maxitems=1` })).toMatchObject({ status: 200 });
  });
  test.each<[string, Sent, number, string, RegExp]>([
    ["of another secret", { path: zones, secret: "other" }, 403, "SignatureDoesNotMatch", /calculated does not match/],
    ["of an unknown key", { path: zones, accessKeyId: "AKIDOTHER" }, 403, "InvalidClientTokenId", /security token/],
    ["for another service", { path: zones, service: "s3" }, 403, "SignatureDoesNotMatch", /correct service/],
    ["of six minutes ago", { path: zones, at: clock - 6 * minutes }, 403, "SignatureDoesNotMatch", /Signature expired/],
    ["of six minutes ahead", { path: zones, at: clock + 6 * minutes }, 403, "SignatureDoesNotMatch", /not yet current/],
    [
      "over another body",
      { method: "POST", path: zones, body: "<a/>", sentBody: "<b/>" },
      403,
      "SignatureDoesNotMatch",
      /calculated does not match/,
    ],
  ])("%s is refused", async (_, sent, status, code, text) => {
    const answer = await ask(sent);
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect(answer.text).toMatch(text);
    expect(answer.text).not.toContain(credentials.secretAccessKey);
  });
  test("of four minutes ago is taken", async () => {
    expect((await ask({ path: zones, at: clock - 4 * minutes })).status).toBe(200);
  });
  test("that is missing, or not one, is refused", async () => {
    const bare = await fetch(`http://${host}${zones}`);
    expect([bare.status, await bare.text()]).toEqual([403, expect.stringContaining("<Code>MissingAuthenticationToken</Code>")]);
    const odd = await fetch(`http://${host}${zones}`, { headers: { authorization: "Bearer x" } });
    expect([odd.status, await odd.text()]).toEqual([400, expect.stringContaining("<Code>IncompleteSignature</Code>")]);
  });
});

test("a request that was meant for another host gets no answer of ours", async () => {
  const text = await new Promise<string>((resolve, reject) => {
    get({ host: "127.0.0.1", port: host.split(":")[1], path: zones, headers: { host: "evil.example" } }, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      answer.on("end", () => resolve(body));
    }).on("error", reject);
  });
  expect(text).toContain("<Code>AccessDenied</Code>");
});

describe("a body", () => {
  const rrset = (): string => `${zones}/${zoneId}/rrset`;
  test.each<[string, string, string]>([
    ["that isn't XML", "not xml", "MalformedInput"],
    ["of another operation", "<CreateHostedZoneRequest/>", "MalformedInput"],
    ["without changes", "<ChangeResourceRecordSetsRequest><ChangeBatch/></ChangeResourceRecordSetsRequest>", "InvalidInput"],
    [
      "with entities of its own",
      '<!DOCTYPE x [<!ENTITY a "b">]><ChangeResourceRecordSetsRequest>&a;</ChangeResourceRecordSetsRequest>',
      "MalformedInput",
    ],
    ["nested without end", "<a>".repeat(10_000), "MalformedInput"],
  ])("%s is refused", async (_, body, code) => {
    expect(await ask({ method: "POST", path: rrset(), body })).toMatchObject({ status: 400, code });
  });
  test("that is too large is refused", async () => {
    expect(await ask({ method: "POST", path: rrset(), body: "x".repeat(REQUEST_BODY_BYTES_MAX + 1) })).toMatchObject({
      status: 413,
    });
  });
});

test("an operation that isn't there is refused by name", async () => {
  expect(await ask({ path: "/2013-04-01/trafficpolicies" })).toMatchObject({ status: 404, code: "UnknownOperationException" });
});
