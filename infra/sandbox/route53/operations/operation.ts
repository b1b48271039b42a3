/** What an operation of the API is: from a verified request to a reply or a failure. */
import type { Failure } from "../failure.ts";
import type { Propagation } from "../propagation.ts";
import type { Store } from "../store.ts";
import type { Node } from "../xml.ts";

export interface Call {
  readonly store: Store;
  /** The id in the path, without prefix; empty where the path has none. */
  readonly id: string;
  readonly query: URLSearchParams;
  readonly body: string;
  /** For messages and Location headers: `http://127.0.0.1:4566`. */
  readonly endpoint: string;
  /** Set by a fault: this call's change travels like this. */
  readonly propagation?: Propagation;
  /** Set by a fault: hears of the change that this call made. */
  readonly onAccepted?: (changeId: string) => void;
}

export interface Reply {
  readonly kind: "reply";
  readonly status: 200 | 201;
  readonly body: Node;
  readonly location?: string;
}

export type Operation = (call: Call) => Reply | Failure;

export const reply = (body: Node): Reply => ({ kind: "reply", status: 200, body });
export const created = (body: Node, location: string): Reply => ({ kind: "reply", status: 201, body, location });

/** `maxitems` of a list call, at most `max`; undefined if it is not a positive number. */
export const readMaxItems = (query: URLSearchParams, max: number): number | undefined => {
  const text = query.get("maxitems");
  if (text === null) return max;
  return /^[1-9]\d{0,8}$/.test(text) ? Math.min(Number(text), max) : undefined;
};
