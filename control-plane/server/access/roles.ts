/** The order of roles, and what a scope lets through. Pure. */
import type { Role } from "../ports/access-store.ts";

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, approver: 2, admin: 3 };

/** Each role may do all that the ones before it may: viewer, operator, approver, admin. */
export const isAtLeast = (role: Role, needed: Role): boolean => RANK[role] >= RANK[needed];

/** `scope` null reaches every service. */
export const isInScope = (scope: readonly string[] | null, service: string): boolean => scope === null || scope.includes(service);
