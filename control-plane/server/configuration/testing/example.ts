/** The documented example, and small declarations around one service, for the tests of this folder. */
import { readFileSync } from "node:fs";
import type { Declaration } from "@regent/contract";
import { parseDeclaration } from "../parse-declaration.ts";

export const EXAMPLE_TEXT = readFileSync(new URL("../../../../docs/example/regent.yaml", import.meta.url), "utf8");

/** Throws with the errors when the text isn't valid. */
export const testDeclaration = (text: string): { declaration: Declaration; warnings: string[] } => {
  const parsed = parseDeclaration(text, "regent.yaml");
  if (parsed.kind === "invalid") throw new Error(JSON.stringify(parsed.errors, null, 2));
  return parsed;
};

/** Errors as `line path: message; suggestion`, in file order; [] when valid. */
export const testErrors = (text: string): string[] => {
  const parsed = parseDeclaration(text, "regent.yaml");
  if (parsed.kind === "valid") return [];
  return parsed.errors.map(({ line, path, message, suggestion }) =>
    [`${line} ${path}: ${message}`, ...(suggestion === undefined ? [] : [suggestion])].join("; "),
  );
};

/** A declaration of 24 lines: two served regions, a witness, six agents, one service. Lines are stable: tests count on them. */
export const SMALL_TEXT = `regent: 1
owner: small
zones: [{ id: ZONE1, name: example.com }]
regions:
  - id: eu
  - id: us
  - id: ap
agents:
  - { id: eu-a, region: eu, network: a, publicKeys: ["AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="] }
  - { id: eu-b, region: eu, network: b, publicKeys: ["AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="] }
  - { id: us-a, region: us, network: a, publicKeys: ["AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM="] }
  - { id: us-b, region: us, network: b, publicKeys: ["BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ="] }
  - { id: ap-a, region: ap, network: a, publicKeys: ["BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU="] }
  - { id: ap-b, region: ap, network: b, publicKeys: ["BgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgY="] }
services:
  - id: www
    name: www.example.com
    zone: example.com
    strategy: { kind: active-passive }
    endpoints:
      - { region: eu, A: [192.0.2.1] }
      - { region: us, A: [192.0.2.2] }
    checks:
      - { id: api, kind: http }
`;

/** SMALL_TEXT with replacements; throws when one finds nothing, so that a test can't test nothing. */
export const testText = (...replacements: readonly (readonly [from: string, to: string])[]): string =>
  replacements.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`SMALL_TEXT has no ${from}`);
    return text.replace(from, () => to);
  }, SMALL_TEXT);
