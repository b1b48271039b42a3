/** All links of the sandbox: from every vantage to every target. Cut and mended one by one, or all of one vantage or target. */
import type { LinkChoice, LinkCutMode, LinkTarget, SandboxVantage } from "../faults.ts";
import { type Link, type LinkState, openLink } from "./link.ts";
import { type Upstream, type UpstreamWatch, type WatchMode, watchUpstream } from "./upstream-watch.ts";

export interface LinkTargetAddress extends Upstream {
  readonly name: LinkTarget;
  readonly watch: WatchMode;
  /** Who else is led there besides the vantages. */
  readonly alsoFrom?: readonly SandboxVantage[];
}

export interface Links {
  readonly state: () => readonly LinkState[];
  /** Sets every link that the choice names; mode undefined mends. Answers those links; an empty list when none matches. */
  readonly set: (choice: LinkChoice, mode: LinkCutMode | undefined) => Promise<readonly LinkState[]>;
  readonly close: () => Promise<void>;
}

/** Ports by vantage and target; what is missing or 0 is chosen. */
export type LinkPorts = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Opens vantages x targets links, and those that a target has besides. One watch per target serves all its links. Rejects when a port is taken; nothing stays open then. */
export const createLinks = async (options: {
  readonly vantages: readonly SandboxVantage[];
  readonly targets: readonly LinkTargetAddress[];
  readonly ports: LinkPorts;
}): Promise<Links> => {
  const watches: UpstreamWatch[] = [];
  const links: Link[] = [];
  const close = async (): Promise<void> => {
    for (const watch of watches) watch.close();
    await Promise.all(links.map((link) => link.close()));
  };
  try {
    for (const { name, host, port, watch: mode, alsoFrom = [] } of options.targets) {
      const watch = await watchUpstream({ host, port }, mode);
      watches.push(watch);
      for (const from of [...options.vantages, ...alsoFrom]) {
        links.push(await openLink({ from, to: name, port: options.ports[from]?.[name] ?? 0, watch }));
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  const state = (): readonly LinkState[] => links.map((link) => link.state());
  return {
    state,
    set: async (choice, mode) => {
      const chosen = links.filter((link) => isChosen(link.state(), choice));
      await Promise.all(chosen.map((link) => link.setCut(mode)));
      return chosen.map((link) => link.state());
    },
    close,
  };
};

const isChosen = (link: LinkState, choice: LinkChoice): boolean =>
  (choice.from === undefined || choice.from === link.from) && (choice.to === undefined || choice.to === link.to);
