/**
 * Which maintenance windows are in force, for whoever judges: a service's region is in maintenance from its drain lead before a window until the
 * window's end. Worked out anew only when a window ended or others are known, as it is asked for every region of every service at every look.
 */
import type { Declaration, Instant, MaintenanceWindow } from "@regent/contract";
import { toDrainLeadMs } from "../../configuration/maintenance/drain-lead.ts";
import type { StoredWindow } from "../../ports/maintenance-store.ts";
import { isAbout, type KnownWindow, momentText, windowsAfter } from "./known-windows.ts";

export interface MaintenanceLook {
  /** Which window, whose, and until when; null when none is in force. */
  readonly why: string | null;
  /** When this answer may be another one; null if never. */
  readonly nextEdgeAt: Instant | null;
}

export type LookAtMaintenance = (service: string, region: string, now: Instant) => MaintenanceLook;

export interface MaintenanceBook {
  readonly look: LookAtMaintenance;
  /** In force or to come, the first to begin in front; each entry of the declaration once. */
  readonly list: (now: Instant) => readonly MaintenanceWindow[];
  /** As `list`, without telling which of an entry's windows is meant. */
  readonly known: (now: Instant) => readonly KnownWindow[];
  /** When traffic leaves for it first. */
  readonly drainsAt: (window: KnownWindow) => Instant;
  /** What operators planned, as read last. True when that is something new. */
  readonly keep: (stored: readonly StoredWindow[]) => boolean;
}

/** Windows in force or to come, valid from `from` until `until`. */
interface Snapshot {
  readonly declaration: Declaration;
  readonly stored: readonly StoredWindow[];
  readonly from: Instant;
  readonly until: Instant;
  readonly windows: readonly KnownWindow[];
  readonly byRegion: ReadonlyMap<string, readonly KnownWindow[]>;
}

const NOTHING: MaintenanceLook = { why: null, nextEdgeAt: null };

export const createMaintenanceBook = (declared: () => Declaration | null): MaintenanceBook => {
  let stored: readonly StoredWindow[] = [];
  let storedText = "[]";
  let snapshot: Snapshot | null = null;
  let leads: { readonly of: Declaration; readonly byService: ReadonlyMap<string, number> } | null = null;

  const leadsOf = (declaration: Declaration): ReadonlyMap<string, number> => {
    if (leads?.of !== declaration)
      leads = {
        of: declaration,
        byService: new Map(declaration.services.map((service) => [service.id, toDrainLeadMs(declaration, service)])),
      };
    return leads.byService;
  };

  const snapshotAt = (now: Instant): Snapshot | null => {
    const declaration = declared();
    if (declaration === null) return null;
    const isValid =
      snapshot?.declaration === declaration && snapshot.stored === stored && now >= snapshot.from && now < snapshot.until;
    if (!isValid) snapshot = takeSnapshot(declaration, stored, now);
    return snapshot;
  };

  const drainsAt = (window: KnownWindow): Instant => {
    const declaration = declared();
    const known = declaration === null ? [] : [...leadsOf(declaration)];
    const about = known.filter(([service]) => window.services === null || window.services.includes(service));
    return window.from - Math.max(0, ...about.map(([, leadMs]) => leadMs));
  };

  const known = (now: Instant): readonly KnownWindow[] => snapshotAt(now)?.windows ?? [];

  return {
    look: (service, region, now) => {
      const found = snapshotAt(now)?.byRegion.get(region);
      if (!snapshot || !found) return NOTHING;
      const leadMs = leadsOf(snapshot.declaration).get(service) ?? 0;
      return lookAt(
        found.filter((window) => isAbout(window, service, region)),
        leadMs,
        now,
      );
    },
    list: (now) => {
      const seen = new Set<string>();
      return known(now)
        .filter(({ id, source }) => source === "planned" || (!seen.has(id) && seen.add(id)))
        .map((window) => ({ ...window, state: stateOf(window, drainsAt(window), now) }));
    },
    known,
    drainsAt,
    keep: (next) => {
      const text = JSON.stringify(next);
      if (text === storedText) return false;
      stored = next;
      storedText = text;
      return true;
    },
  };
};

export const stateOf = ({ from }: KnownWindow, drainsAt: Instant, now: Instant): MaintenanceWindow["state"] => {
  if (now >= from) return "in-force";
  return now >= drainsAt ? "draining" : "planned";
};

const takeSnapshot = (declaration: Declaration, stored: readonly StoredWindow[], now: Instant): Snapshot => {
  const windows = windowsAfter(declaration, stored, now);
  const byRegion = new Map<string, KnownWindow[]>();
  for (const window of windows)
    for (const region of window.regions) {
      const known = byRegion.get(region);
      if (known) known.push(window);
      else byRegion.set(region, [window]);
    }
  const until = Math.min(...windows.map(({ to }) => to), Number.POSITIVE_INFINITY);
  return { declaration, stored, from: now, until, windows, byRegion };
};

const lookAt = (windows: readonly KnownWindow[], leadMs: number, now: Instant): MaintenanceLook => {
  const edges = windows.flatMap(({ from, to }) => [from - leadMs, from, to]).filter((at) => at > now);
  const inForce = windows.filter(({ from, to }) => now >= from - leadMs && now < to);
  // Of several, the one that keeps traffic away for longest.
  const [first, ...others] = inForce.sort((a, b) => b.to - a.to || a.from - b.from);
  return {
    why: first === undefined ? null : whyOf(first, others.length, now),
    nextEdgeAt: edges.length > 0 ? Math.min(...edges) : null,
  };
};

const whyOf = ({ id, by, reason, from, to }: KnownWindow, others: number, now: Instant): string => {
  const more = others === 0 ? "" : `, and ${others} more`;
  const since = now < from ? `traffic leaves for the work from ${momentText(from)} ` : "in maintenance ";
  return `${since}until ${momentText(to)} (window ${id} of ${by}: ${reason}${more})`;
};
