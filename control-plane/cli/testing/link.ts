/** One TCP link between two processes under test: a port of its own that can be cut one way or both, and be given another target. */
import { type AddressInfo, createServer } from "node:net";
import { type Passage, type Relay, startRelay } from "@regent/sandbox/links/relay.ts";

export interface Link {
  readonly port: number;
  /** What passes from now on. A connection that lost something is reset when the link is whole again, as after a real outage. */
  readonly pass: (passage: Passage) => void;
  /** New connections go there; those that stand are reset. */
  readonly turnTo: (port: number) => void;
  readonly close: () => void;
}

export const WHOLE: Passage = { requests: true, answers: true };
export const CUT: Passage = { requests: false, answers: false };

/** @param target port of 127.0.0.1 */
export const openTestLink = async (target: number): Promise<Link> => {
  const relays = new Set<Relay>();
  let passage = WHOLE;
  let port = target;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.on("error", () => undefined);
    const relay: Relay = startRelay({
      client,
      upstream: { host: "127.0.0.1", port },
      passage: () => passage,
      onRefused: () => relay.reset(),
      onEnd: () => relays.delete(relay),
    });
    relays.add(relay);
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    pass: (next) => {
      passage = next;
      if (next.requests && next.answers) for (const relay of relays) relay.settle();
    },
    turnTo: (next) => {
      port = next;
      for (const relay of relays) relay.reset();
    },
    close: () => {
      server.close();
      for (const relay of relays) relay.reset();
    },
  };
};
