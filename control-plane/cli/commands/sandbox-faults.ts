/** sandbox faults: every word that can be broken, as the sandbox's own vocabulary has it. */
import { LinkCutMode, REGION_FAULT_NAMES, type RegionFaultName } from "@regent/sandbox/faults.ts";
import { ROUTE53_FAULT_KINDS, type Route53FaultKind } from "@regent/sandbox/route53/faults.ts";
import type { Command } from "commander";
import { type CommonOptions, createContext, type Terminal, withCommon } from "../context.ts";
import { REPLICATION_CUT } from "./sandbox-pair.ts";

/** The compiler asks for a word that is missing here. */
const REGION_WORDS: Readonly<Record<RegionFaultName, string>> = {
  refuse: "the port is closed, open connections are reset",
  hang: "accepts, reads, never answers",
  blackhole: "never accepts",
  "503": "every answer is 503",
  slow: "right answers, delayMs late (1500)",
  alternate: "right in even seconds, 503 in odd ones",
  random: "503 for rate (0.3) of the requests, drawn from seed (1)",
  "database-down": "Postgres is really stopped, mode immediate or fast",
  "read-only": "Postgres takes no writes",
  dead: "API refused and database stopped; with agents: they are killed too",
  "agents-dead": "all of the region's agents are killed, or those that agents names",
};

const LINK_WORDS: Readonly<Record<LinkCutMode, string>> = {
  refuse: "a dial is refused, open connections are reset",
  blackhole: "a dial opens, no byte passes either way",
  "no-answers": "requests arrive, answers are lost",
  "no-requests": "requests are lost, what was asked before is still answered",
};

const ROUTE53_WORDS: Readonly<Record<Route53FaultKind, string>> = {
  throttle: "answers Throttling",
  "server-error": "answers status 500 or 503; isApplied says whether the change was made",
  "timeout-before": "never answers, nothing was done",
  "timeout-after": "never answers, the change was made",
  "late-apply": "never answers, the change is tried after delayMs",
  strand: "answers as always, after delayMs the accepted change is lost and stays PENDING",
  "prior-request": "answers PriorRequestNotComplete",
  "slow-propagation": "the change reaches all name servers after delayMs",
  "staggered-propagation": "the change reaches name server i after perServerMs[i]",
  truncated: "the answer ends in its middle, form document or connection",
  empty: "an answer with nothing in it, form body or document",
  garbage: "an answer that is something else, form bytes or page",
  duplicate: "the request arrives twice, delayMs apart; the first or the second is answered",
  "other-traffic": "somebody else's perSecond calls eat the account's bucket",
};

const WORDS = {
  regions: toRows(REGION_FAULT_NAMES, REGION_WORDS),
  replication: [{ name: REPLICATION_CUT, does: "the links between the two databases are cut, mode as of links" }],
  links: toRows(LinkCutMode.options, LINK_WORDS),
  route53: toRows(ROUTE53_FAULT_KINDS, ROUTE53_WORDS),
};

function toRows<T extends string>(names: readonly T[], words: Readonly<Record<T, string>>): { name: T; does: string }[] {
  return names.map((name) => ({ name, does: words[name] }));
}

export const addFaults = (sandbox: Command, terminal: Terminal): void => {
  withCommon(sandbox.command("faults"))
    .description("list everything that can be broken")
    .action((options: CommonOptions) => {
      createContext(terminal, options).print(WORDS, () => [
        ...section("Regions: sandbox break REGION FAULT", WORDS.regions),
        ...section("Between the two halves of a pair (up --stateful): sandbox break REGION FAULT", WORDS.replication),
        ...section("Links: sandbox cut --from VANTAGE --to TARGET --mode MODE", WORDS.links),
        ...section("Route 53: sandbox route53 FAULT, for --count calls or --for-ms", WORDS.route53),
        "Agents: sandbox kill-agent AGENT… or all.  Our own parts: sandbox kill|stop PART.",
        "How fast changes reach the name servers: sandbox propagation.  Many at once, from a file: sandbox play.",
      ]);
    });
};

const section = (title: string, rows: readonly { readonly name: string; readonly does: string }[]): string[] => [
  title,
  ...rows.map(({ name, does }) => `  ${name.padEnd(22)} ${does}`),
  "",
];
