/** Resolver over real DNS: one question, one server, no retries (the caller knows how many servers there are). TCP when truncated. */
import { randomInt } from "node:crypto";
import type { DnsAnswer, Resolver } from "../../ports/resolver.ts";
import { exchangeTcp, exchangeUdp } from "./exchange.ts";
import { locateServer } from "./locate.ts";
import { type Question, writeQuestion } from "./message.ts";
import { parseServerAddress } from "./server-address.ts";

export const createUdpResolver = (): Resolver => ({ ask, locate: locateServer });

const ask: Resolver["ask"] = async (serverText, name, type, timeoutMs): Promise<DnsAnswer> => {
  const server = parseServerAddress(serverText);
  if (!server) return { kind: "failed", why: `not an address: ${serverText}` };
  const question: Question = { id: randomInt(0x10000), name, type };
  const problem = problemOf(question);
  if (problem !== null) return { kind: "failed", why: problem };
  const startedAt = performance.now();
  const reading = await exchangeUdp({ server, question, timeoutMs });
  if (reading.kind !== "truncated") return reading;
  const leftMs = Math.max(1, timeoutMs - (performance.now() - startedAt));
  return exchangeTcp({ server, question, timeoutMs: leftMs });
};

const problemOf = (question: Question): string | null => {
  try {
    writeQuestion(question);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};
