/**
 * A caching resolver, as between a user and the name servers: keeps each answer for its TTL, and that there is none for as long
 * as the zone's SOA says. Asks a random name server of the sandbox; knows no other.
 */
import type { Answer, Question } from "dns-packet";
import { CHAIN_LENGTH_MAX, RESOLVER_CACHE_ENTRIES_MAX, RESOLVER_TRIES } from "../limits.ts";
import { openDoor } from "./door.ts";
import { type Rcode, type Reply, rcodes, readQuery, writeAnswer } from "./message.ts";
import { createUpstream, type Upstream } from "./upstream.ts";

export interface ResolverOptions {
  /** 0: a free port. */
  readonly port?: number;
  /** Ports of the name servers on 127.0.0.1. */
  readonly nameServerPorts: readonly number[];
  /** Some resolvers keep answers longer than their TTL; seconds, 0 by default. */
  readonly ttlFloorSeconds?: number;
  readonly now?: () => number;
  readonly random?: () => number;
}

export interface Resolver {
  readonly port: number;
  /** Forgets everything. */
  readonly flush: () => void;
  readonly close: () => Promise<void>;
}

interface Found {
  readonly rcode: Rcode;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
}
interface Kept extends Found {
  readonly keptAt: number;
  readonly ttlSeconds: number;
}

const failed: Found = { rcode: "SERVFAIL", answers: [], authorities: [] };
const nameByCode = new Map<number, Rcode>(Object.entries(rcodes).map(([name, code]) => [code, name as Rcode]));
const ttlOf = (record: Answer): number => ("ttl" in record ? (record.ttl ?? 0) : 0);

/** How long an answer may be kept: its least TTL; without records, what the SOA in it says; else not at all. */
const lifetime = ({ answers, authorities }: Found, floor: number): number => {
  const soa = authorities.find((record) => record.type === "SOA");
  const ttls = answers.length > 0 ? answers.map(ttlOf) : soa?.type === "SOA" ? [Math.min(ttlOf(soa), soa.data.minimum ?? 0)] : [];
  return ttls.length === 0 ? 0 : Math.max(Math.min(...ttls), floor);
};

const aged = (records: readonly Answer[], seconds: number, floor: number): Answer[] =>
  records.map((record) => ({ ...record, ttl: Math.max(0, Math.max(ttlOf(record), floor) - seconds) }) as Answer);

export const createResolver = async (options: ResolverOptions): Promise<Resolver> => {
  const { nameServerPorts, ttlFloorSeconds: floor = 0, now = Date.now, random = Math.random } = options;
  const upstream = await createUpstream(random);
  const cache = new Map<string, Kept>();
  const asking = new Map<string, Promise<Found>>();

  const keep = (key: string, found: Found): void => {
    const ttlSeconds = found.rcode === "NOERROR" || found.rcode === "NXDOMAIN" ? lifetime(found, floor) : 0;
    if (ttlSeconds <= 0) return;
    if (cache.size >= RESOLVER_CACHE_ENTRIES_MAX) cache.delete(cache.keys().next().value!);
    cache.set(key, { ...found, keptAt: now(), ttlSeconds });
  };
  const recall = (key: string): Found | undefined => {
    const kept = cache.get(key);
    if (!kept) return undefined;
    const seconds = Math.floor((now() - kept.keptAt) / 1_000);
    if (now() < kept.keptAt + kept.ttlSeconds * 1_000)
      return {
        rcode: kept.rcode,
        answers: aged(kept.answers, seconds, floor),
        authorities: aged(kept.authorities, seconds, floor),
      };
    cache.delete(key);
    return undefined;
  };
  /** The zone's own answer, and where it ends in a CNAME out of the zone, what that leads to. */
  const find = async (question: Question, depth: number): Promise<Found> => {
    const found = await askAround(upstream, question, { nameServerPorts, random });
    const last = found.answers.at(-1);
    if (found.rcode !== "NOERROR" || last?.type !== "CNAME" || question.type === "CNAME" || depth >= CHAIN_LENGTH_MAX)
      return found;
    if (found.authorities.length > 0) return found;
    const rest = await lookUp({ ...question, name: last.data }, depth + 1);
    // A name that no server here knows: the alias itself is still an answer.
    return rest.rcode === "SERVFAIL" ? found : { ...rest, answers: [...found.answers, ...rest.answers] };
  };
  const lookUp = (question: Question, depth = 0): Promise<Found> => {
    const key = `${question.name.toLowerCase()} ${question.type}`;
    const known = recall(key);
    if (known) return Promise.resolve(known);
    const under = asking.get(key);
    if (under) return under;
    const answer = find(question, depth)
      .then((found) => {
        keep(key, found);
        return found;
      })
      .finally(() => asking.delete(key));
    asking.set(key, answer);
    return answer;
  };

  const door = await openDoor(options.port ?? 0, async (bytes, transport) => {
    const query = readQuery(bytes);
    if (query.kind === "drop") return undefined;
    if (query.kind === "refuse") return query.answer;
    const reply: Reply = { ...(await lookUp(query.question)), isRecursionAvailable: true };
    const owner = query.question.name;
    // The owner is spelled as this asker spelled it, whoever asked first.
    const answers = (reply.answers ?? []).map((record) =>
      record.name.toLowerCase() === owner.toLowerCase() ? { ...record, name: owner } : record,
    );
    return writeAnswer(query, { ...reply, answers }, transport);
  });
  return {
    port: door.port,
    flush: () => cache.clear(),
    close: async () => {
      await door.close();
      upstream.close();
    },
  };
};

interface Servers {
  readonly nameServerPorts: readonly number[];
  readonly random: () => number;
}

/** Tries servers in random order until one gives an answer that means something. */
const askAround = async (upstream: Upstream, question: Question, { nameServerPorts, random }: Servers): Promise<Found> => {
  const ports = [...nameServerPorts];
  for (let tries = 0; tries < RESOLVER_TRIES && ports.length > 0; tries++) {
    const [port] = ports.splice(Math.floor(random() * ports.length), 1);
    const message = await upstream.ask(question, port!);
    const rcode = message ? nameByCode.get((message.flags ?? 0) & 0xf) : undefined;
    if (message && (rcode === "NOERROR" || rcode === "NXDOMAIN"))
      return { rcode, answers: message.answers ?? [], authorities: message.authorities ?? [] };
  }
  return failed;
};
