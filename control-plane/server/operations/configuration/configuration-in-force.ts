/**
 * The applied configuration, made ready once for everybody who asks often: specs for the engine, keys and assignments for intake, signed
 * configurations for agents.
 */
import { type KeyObject, sign } from "node:crypto";
import type { Declaration, Instant, SignedConfiguration } from "@regent/contract";
import type { ServiceSpec, Thresholds } from "@regent/engine";
import { toAgentConfiguration } from "../../configuration/to-agent-configuration.ts";
import { toServiceSpecs } from "../../configuration/to-specs.ts";
import type { AppliedConfiguration } from "../../ports/configuration-store.ts";
import { type AgentKeys, createAgentKeys } from "./agent-keys.ts";

export interface AssignedCheck extends Thresholds {
  readonly freshnessMs: number;
}

export interface Applied {
  readonly version: number;
  readonly declaration: Declaration;
  readonly text: string;
  readonly author: string;
  readonly at: Instant;
  readonly specs: ReadonlyMap<string, ServiceSpec>;
  readonly keys: AgentKeys;
  /** What a report must say that it is meant for. */
  readonly aud: string;
  readonly assignedTo: (agent: string) => ReadonlyMap<string, AssignedCheck>;
  readonly signedFor: (agent: string) => SignedConfiguration | null;
}

export interface ConfigurationSigner {
  readonly keyId: string;
  readonly privateKey: KeyObject;
}

export const prepareConfiguration = (applied: AppliedConfiguration, signer: ConfigurationSigner): Applied => {
  const { declaration, version } = applied;
  const aud = `${declaration.owner}/v1/reports`;
  const specs = new Map(toServiceSpecs(declaration).map((spec) => [spec.id, spec]));
  const configurationFor = remember((agent: string) =>
    declaration.agents.some(({ id }) => id === agent)
      ? toAgentConfiguration(declaration, agent, { version, aud, issuedAt: applied.at })
      : null,
  );
  const assignedTo = remember((agent: string): ReadonlyMap<string, AssignedCheck> => {
    const assignments = configurationFor(agent)?.assignments ?? [];
    return new Map(
      assignments.map(({ target, cadence }) => {
        const freshnessMs = specs.get(target.split("/")[0] ?? "")?.settings.freshnessMs ?? 0;
        return [target, { fall: cadence.fall, clear: cadence.clear, rise: cadence.rise, freshnessMs }];
      }),
    );
  });
  const signedFor = remember((agent: string): SignedConfiguration | null => {
    const configuration = configurationFor(agent);
    if (!configuration) return null;
    const payload = JSON.stringify(configuration);
    const signature = sign(null, Buffer.from(`regent-configuration.${payload}`), signer.privateKey).toString("base64");
    return { keyId: signer.keyId, payload, signature };
  });
  return { ...applied, specs, aud, keys: createAgentKeys(declaration.agents), assignedTo, signedFor };
};

const remember = <T>(make: (key: string) => T): ((key: string) => T) => {
  const made = new Map<string, T>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined || made.has(key)) return known as T;
    const value = make(key);
    made.set(key, value);
    return value;
  };
};
