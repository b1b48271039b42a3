/**
 * One POST to the address that was checked: no redirects, no proxy, no pool, an answer of so many bytes. TLS is verified against the name of
 * the URL, whatever address it has.
 */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { isIP } from "node:net";
import type { GuardRules } from "@regent/contract";
import { ANSWER_BYTES_MAX } from "./limits.ts";
import { findTarget, type LookUp, TargetRefused } from "./target.ts";

export interface Post {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly retryAfterMs: number | null;
}

export interface PostDeps {
  readonly rules: GuardRules;
  readonly lookUp?: LookUp;
}

export type PostJson = (post: Post, signal: AbortSignal) => Promise<Answer>;

export const createPostJson =
  ({ rules, lookUp }: PostDeps): PostJson =>
  async ({ url, headers, body }, signal) => {
    const isPlain = url.protocol === "http:";
    if (!isPlain && url.protocol !== "https:") throw new TargetRefused("only https is spoken");
    const { host, ip, isLoopback } = await findTarget(url.hostname, rules, lookUp);
    if (isPlain && !isLoopback) throw new TargetRefused("only https is spoken, except to loopback");
    signal.throwIfAborted();
    const options: RequestOptions = {
      method: "POST",
      host: ip,
      port: url.port === "" ? (isPlain ? 80 : 443) : Number(url.port),
      path: `${url.pathname}${url.search}`,
      headers: {
        ...headers,
        host: url.host,
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(body)),
        "user-agent": "regent",
      },
      agent: false,
      signal,
      ...(isPlain || isIP(host) > 0 ? {} : { servername: host }),
    };
    return await new Promise<Answer>((resolve, reject) => {
      const request = (isPlain ? httpRequest : httpsRequest)(options, (response) => {
        readAnswer(response).then(resolve, reject);
      });
      request.on("error", reject);
      request.end(body);
    });
  };

const readAnswer = async (response: IncomingMessage): Promise<Answer> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    chunks.push(chunk);
    // What was asked is known by the status; the rest isn't worth waiting for.
    if (bytes > ANSWER_BYTES_MAX) {
      response.destroy();
      break;
    }
  }
  const body = Buffer.concat(chunks).subarray(0, ANSWER_BYTES_MAX).toString("utf8");
  return { status: response.statusCode ?? 0, body, retryAfterMs: toRetryAfterMs(response.headers["retry-after"]) };
};

/** Seconds, or a date. */
export const toRetryAfterMs = (value: string | undefined, now = Date.now()): number | null => {
  if (value === undefined) return null;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
};
