/**
 * One try to deliver one report to one control plane, and what its answer means (agents.md 8.5). Keep-alive, no redirects, bounded in
 * time and bytes. Never throws.
 */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { Instant, PROBLEM_BASE, type ProblemSlug, ReportReceipt } from "@regent/contract";
import * as z from "zod";
import { RECEIPT_BYTES_MAX, REPORT_TIMEOUT_MS, RETRY_AFTER_MAX_MS } from "./limits.ts";

export type Answer =
  | { readonly kind: "taken"; readonly receipt: ReportReceipt }
  /** An earlier try had arrived. */
  | { readonly kind: "taken-before" }
  /** Refused for good: another process with our key began later, as that boot, and it alone is heard. */
  | { readonly kind: "displaced"; readonly boot: number; readonly why: string }
  /** Our clock is off; `serverTime` in ms if it was told. */
  | { readonly kind: "skewed"; readonly serverTime: number | undefined }
  /** It may or may not have arrived. */
  | { readonly kind: "retry"; readonly why: string }
  /** `isTurnedAway`: by a queue or a limit, before anything was done with it. */
  | { readonly kind: "wait"; readonly afterMs: number; readonly isTurnedAway: boolean; readonly why: string }
  /** Our key is not known here, or not yet. */
  | { readonly kind: "refresh"; readonly why: string }
  | { readonly kind: "too-large" }
  /** It reads the report and finds it wrong: the same report would be refused again. */
  | { readonly kind: "unreadable"; readonly why: string }
  /** Refused for good: revoked, or declared as another. */
  | { readonly kind: "fatal"; readonly why: string };

export interface Transport {
  readonly post: (controlPlane: string, message: { headers: Readonly<Record<string, string>>; body: string }) => Promise<Answer>;
  readonly close: () => void;
}

/** `boot` is our own. */
export const createTransport = (boot: number, timeoutMs: number = REPORT_TIMEOUT_MS): Transport => {
  const options = { keepAlive: true, maxSockets: 2 };
  const http = new HttpAgent(options);
  const https = new HttpsAgent(options);

  const post = (url: URL, message: { headers: Readonly<Record<string, string>>; body: string }): Promise<Answer> =>
    new Promise((resolve) => {
      const body = Buffer.from(message.body);
      const isTls = url.protocol === "https:";
      const sent = (isTls ? requestHttps : requestHttp)(url, {
        method: "POST",
        agent: isTls ? https : http,
        headers: { ...message.headers, "content-length": body.length },
      });
      const timer = setTimeout(() => {
        resolve({ kind: "retry", why: "timeout" });
        sent.destroy();
      }, timeoutMs);
      const settle = (answer: Answer): void => {
        clearTimeout(timer);
        resolve(answer);
      };
      sent.on("error", (error: NodeJS.ErrnoException) => settle({ kind: "retry", why: error.code ?? "network" }));
      sent.once("response", (answer) => {
        readAnswer(answer, boot).then(settle, () => settle({ kind: "retry", why: "broken-answer" }));
      });
      sent.end(body);
    });

  return {
    post: (controlPlane, message) =>
      post(new URL("v1/reports", controlPlane.endsWith("/") ? controlPlane : `${controlPlane}/`), message),
    close: () => {
      http.destroy();
      https.destroy();
    },
  };
};

const readAnswer = async (answer: IncomingMessage, ownBoot: number): Promise<Answer> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > RECEIPT_BYTES_MAX) return { kind: "retry", why: "answer-too-large" };
    chunks.push(chunk);
  }
  const raw = { body: Buffer.concat(chunks).toString("utf8"), retryAfter: answer.headers["retry-after"] };
  return toAnswer(answer.statusCode ?? 0, raw, ownBoot);
};

const ProblemBody = z.looseObject({ type: z.string().optional(), serverTime: Instant.optional(), boot: z.int().optional() });

export interface RawAnswer {
  readonly body: string;
  readonly retryAfter?: string | undefined;
}

export const toAnswer = (code: number, { body, retryAfter }: RawAnswer, ownBoot: number): Answer => {
  const json = parseJson(body);
  if (code >= 200 && code < 300) {
    const receipt = ReportReceipt.safeParse(json);
    // Something in between answers: nothing says that the report arrived.
    return receipt.success ? { kind: "taken", receipt: receipt.data } : { kind: "retry", why: "not-a-receipt" };
  }
  const problem = ProblemBody.safeParse(json);
  const why = problem.success ? slugOf(problem.data.type) : undefined;
  return toRefusal(code, { slug: why, serverTime: problem.data?.serverTime, boot: problem.data?.boot, retryAfter, ownBoot });
};

interface Refusal {
  readonly slug: string | undefined;
  readonly serverTime: number | undefined;
  /** The newest boot of this agent that it has heard. */
  readonly boot: number | undefined;
  readonly ownBoot: number;
  readonly retryAfter: string | undefined;
}

const is = (slug: string | undefined, expected: ProblemSlug): boolean => slug === expected;

const toRefusal = (code: number, { slug, serverTime, boot, ownBoot, retryAfter }: Refusal): Answer => {
  const why = slug ?? `http-${code}`;
  switch (code) {
    case 400:
    case 422:
      return { kind: "unreadable", why };
    case 401:
      return is(slug, "clock-skew") ? { kind: "skewed", serverTime } : { kind: "refresh", why };
    case 403:
    case 410:
      return { kind: "fatal", why };
    case 404:
    case 405:
    case 421:
      return { kind: "refresh", why };
    case 409:
      if (!is(slug, "replayed-report")) return { kind: "retry", why };
      return boot !== undefined && boot > ownBoot ? { kind: "displaced", boot, why } : { kind: "taken-before" };
    case 413:
      return { kind: "too-large" };
    case 429:
    case 503:
      return retryAfterMs(retryAfter, code === 429, why);
    default:
      return { kind: "retry", why };
  }
};

/** Seconds only; the date form depends on two clocks. A 429 without a header means a second. */
const retryAfterMs = (header: string | undefined, isTurnedAway: boolean, why: string): Answer => {
  if (header === undefined || !/^\d{1,6}$/.test(header))
    return isTurnedAway ? { kind: "wait", afterMs: 1_000, isTurnedAway, why } : { kind: "retry", why };
  return { kind: "wait", afterMs: Math.min(RETRY_AFTER_MAX_MS, Number(header) * 1_000), isTurnedAway, why };
};

const slugOf = (type: string | undefined): string | undefined =>
  type?.startsWith(PROBLEM_BASE) ? type.slice(PROBLEM_BASE.length) : undefined;

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
