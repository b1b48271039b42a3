/** One link from a vantage to a target: a port of its own that behaves as the target's port would over a network that can be cut. */
import { type AddressInfo, createServer, type Server } from "node:net";
import type { LinkCutMode, LinkTarget, SandboxVantage } from "../faults.ts";
import { LINK_CONNECTIONS_MAX, UPSTREAM_REDIAL_MS } from "../regions/limits.ts";
import { type Passage, type Relay, startRelay } from "./relay.ts";
import type { UpstreamWatch } from "./upstream-watch.ts";

export interface LinkState {
  readonly from: SandboxVantage;
  readonly to: LinkTarget;
  readonly port: number;
  /** How it is cut; undefined when it is whole. */
  readonly cut: LinkCutMode | undefined;
  /** Whether a dial is accepted now: not while the target refuses, nor while cut by `refuse`. */
  readonly isListening: boolean;
  readonly connections: number;
}

export interface Link {
  readonly state: () => LinkState;
  /** Cuts, or with undefined mends. Resolves when the port is as it should be. */
  readonly setCut: (mode: LinkCutMode | undefined) => Promise<void>;
  readonly close: () => Promise<void>;
}

const passageOf = (cut: LinkCutMode | undefined): Passage => {
  switch (cut) {
    case undefined:
      return { requests: true, answers: true };
    case "no-answers":
      return { requests: true, answers: false };
    case "no-requests":
      return { requests: false, answers: true };
    case "blackhole":
    case "refuse":
      return { requests: false, answers: false };
  }
};

/** @param options.port 0 chooses a free one. Rejects when the port is taken. */
export const openLink = async (options: {
  readonly from: SandboxVantage;
  readonly to: LinkTarget;
  readonly port: number;
  readonly watch: UpstreamWatch;
}): Promise<Link> => {
  const { from, to, watch } = options;
  const relays = new Set<Relay>();
  let port = options.port;
  let cut: LinkCutMode | undefined;
  let server: Server | undefined;
  let isClosed = false;
  let retry: NodeJS.Timeout | undefined;

  const listen = async (): Promise<void> => {
    const opened = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      client.on("error", () => undefined);
      if (relays.size >= LINK_CONNECTIONS_MAX) return void client.resetAndDestroy();
      const relay: Relay = startRelay({
        client,
        upstream: watch.upstream,
        passage: () => passageOf(cut),
        onRefused: watch.lookNow,
        onEnd: () => relays.delete(relay),
      });
      relays.add(relay);
    });
    await new Promise<void>((resolve, reject) => {
      opened.once("error", reject);
      opened.listen(port, "127.0.0.1", resolve);
    });
    port = (opened.address() as AddressInfo).port;
    server = opened;
  };
  const shut = (): void => {
    // Closing stops the listening at once; its callback would wait for connections, which live on until their ends close them.
    server?.close();
    server = undefined;
  };
  const isWanted = (): boolean =>
    !isClosed && cut !== "refuse" && (watch.isOpen() || cut === "blackhole" || cut === "no-requests");
  const inOrder = createSteps();
  const adjust = (): Promise<void> =>
    inOrder(async () => {
      clearTimeout(retry);
      if (!isWanted()) return shut();
      if (server !== undefined) return undefined;
      // The port was ours a moment ago; should another program hold it now, keep trying rather than leave the link dead.
      return listen().catch(() => {
        retry = setTimeout(adjust, UPSTREAM_REDIAL_MS);
      });
    });

  await listen();
  watch.onChange(() => void adjust());
  await adjust();
  return {
    state: () => ({ from, to, port, cut, isListening: server !== undefined, connections: relays.size }),
    setCut: async (mode) => {
      const passed = passageOf(cut);
      cut = mode;
      const passes = passageOf(cut);
      if (mode === "refuse") for (const relay of relays) relay.reset();
      else if ((passes.requests && !passed.requests) || (passes.answers && !passed.answers))
        for (const relay of relays) relay.settle();
      await adjust();
    },
    close: async () => {
      isClosed = true;
      await adjust();
      for (const relay of relays) relay.reset();
    },
  };
};

/** Opening takes a moment; a close asked for meanwhile must come after it. */
const createSteps = () => {
  let last: Promise<void> = Promise.resolve();
  return (step: () => Promise<void> | undefined): Promise<void> => {
    last = last.then(step);
    return last;
  };
};
