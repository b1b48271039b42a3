/** The smallest service that can be written: two regions, one family, type A. */

import { Declaration } from "@regent/contract";
import type { ServiceSpec } from "@regent/engine";
import { toServiceSpecs } from "../configuration/to-specs.ts";

export const specOf = (id: string, zoneId: string): ServiceSpec => {
  const declaration = Declaration.parse({
    regent: 1,
    owner: "test",
    profile: "sandbox",
    zones: [{ id: zoneId, name: "example.test" }],
    regions: [{ id: "eu" }, { id: "us" }],
    agents: [],
    services: [
      {
        id,
        name: `${id}.example.test`,
        zone: "example.test",
        ttl: 30,
        strategy: { kind: "active-passive" },
        endpoints: ["eu", "us"].map((region) => ({ region, A: ["192.0.2.1"] })),
        checks: [{ id: "web", kind: "tcp", port: 80 }],
      },
    ],
  });
  const [spec] = toServiceSpecs(declaration);
  if (!spec) throw new Error("no service");
  return spec;
};

/** A ULID that says which service and revision it is of. */
export const ulidOf = (service: string, revision: number): string =>
  `01${[...service].map((c) => c.charCodeAt(0).toString(10).padStart(3, "0")).join("")}`.padEnd(23, "0").slice(0, 23) +
  String(revision).padStart(3, "0");
