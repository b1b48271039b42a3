/** What is left of an answer that is cut off, emptied or replaced on its way. Pure. Called by server.ts. */
import type { CallFault } from "./faults.ts";

export type DamageFault = Extract<CallFault, { kind: "truncated" | "empty" | "garbage" }>;

export interface Damage {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
  /** What content-length says; more than the body where the connection breaks. */
  readonly promisedBytes: number;
}

/** The answer as it would have been, and one of the same call that says nothing. */
interface Whole {
  readonly status: number;
  readonly document: string;
  readonly hollow: string;
}

export const damage = (fault: DamageFault, { status, document, hollow }: Whole): Damage => {
  const whole = (body: string | Buffer, type = "text/xml"): Damage => {
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    return { status: 200, type, body: bytes, promisedBytes: bytes.length };
  };
  switch (fault.kind) {
    case "truncated": {
      const bytes = Buffer.from(document);
      const body = bytes.subarray(0, bytes.length >> 1);
      return { status, type: "text/xml", body, promisedBytes: fault.form === "document" ? body.length : bytes.length };
    }
    case "empty":
      return whole(fault.form === "body" ? "" : hollow);
    case "garbage":
      return fault.form === "bytes" ? whole(NOISE) : whole(PAGE, "text/html");
  }
};

/** Neither XML nor valid UTF-8, and the same each time. */
const NOISE = Buffer.from(Array.from({ length: 512 }, (_, index) => (index * 151 + 255) % 256));

/** Well-formed, so that a reader who only parses is taken in. */
const PAGE = "<html><head><title>Sign in</title></head><body><h1>Sign in to this network</h1></body></html>";
