/** What a service runs with once its profile is resolved. Pure. */
import type { Declaration, ProfileName, Service } from "@regent/contract";
import type { SafetyLimits, Settings } from "@regent/engine";
import { PROFILES, resolveSafety, resolveSettings } from "./profiles.ts";

export const toProfile = ({ profile }: Declaration, service: Service): ProfileName => service.profile ?? profile;

/** TTL of the service's records and of its epoch record, seconds. */
export const toTtlSeconds = (declaration: Declaration, service: Service): number =>
  service.ttl ?? PROFILES[toProfile(declaration, service)].ttlSeconds;

export const toServiceSettings = (declaration: Declaration, service: Service): Settings =>
  resolveSettings({
    profile: toProfile(declaration, service),
    ttlSeconds: toTtlSeconds(declaration, service),
    declared: service.settings,
  });

export const toServiceSafety = (declaration: Declaration, service: Service): SafetyLimits =>
  resolveSafety(toProfile(declaration, service), declaration.safety, service.safety);
