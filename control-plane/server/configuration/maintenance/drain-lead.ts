/** How long before a window traffic leaves, so that nobody is sent there any more when it begins: what resolvers keep, and room for one more try. Pure. */
import type { Declaration, ProfileName, Service } from "@regent/contract";
import { toProfile, toTtlSeconds } from "../service-settings.ts";

/** Beyond the TTL. In the sandbox everything is quicker; two minutes would be longer than a play. */
const BEYOND_TTL_MS: Readonly<Record<ProfileName, number>> = { standard: 120_000, careful: 120_000, sandbox: 5_000 };

export const toDrainLeadMs = (declaration: Declaration, service: Service): number =>
  toTtlSeconds(declaration, service) * 1_000 + BEYOND_TTL_MS[toProfile(declaration, service)];
