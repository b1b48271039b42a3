/**
 * Alert rules by API, and which alerts are pending or firing. What becomes of an alert is written in one transaction with its entry of history, so
 * that a leader that dies between the two neither pages twice nor not at all.
 */
import type { AlertRule, AlertSetting, Instant } from "@regent/contract";
import type { HistoryEntry } from "./decision-store.ts";

export interface StoredAlertRule {
  readonly version: number;
  readonly setting: AlertSetting;
}

export interface StoredAlert {
  /** Rule and series; nothing else has it. */
  readonly key: string;
  readonly state: "pending" | "firing";
  /** When that state began. */
  readonly since: Instant;
  /** As it was then: what was told is closed in the same words, whatever became of the rule. */
  readonly rule: AlertRule;
  readonly series: string;
  readonly value: number | null;
  /** When a leader last saw it hold. */
  readonly seenAt: Instant;
}

interface Fenced {
  readonly holder: string;
  readonly term: number;
}

export interface AlertRuleWrite extends Fenced {
  readonly id: string;
  /** The version that was read; 0: there is none. */
  readonly expectedVersion: number;
  /** Null: dropped. */
  readonly setting: AlertSetting | null;
  readonly entry: HistoryEntry;
}

export interface AlertsWrite extends Fenced {
  readonly put: readonly StoredAlert[];
  /** Keys. */
  readonly drop: readonly string[];
  readonly history: readonly HistoryEntry[];
}

export interface AlertStore {
  /** By id. */
  readonly readRules: () => Promise<readonly StoredAlertRule[]>;
  /** `stale`: somebody else wrote it, at this version now (0: gone); nothing was written. */
  readonly writeRule: (
    write: AlertRuleWrite,
  ) => Promise<
    | { readonly kind: "written"; readonly version: number }
    | { readonly kind: "stale"; readonly version: number }
    | { readonly kind: "fenced" }
  >;
  /** By key. */
  readonly readAlerts: () => Promise<readonly StoredAlert[]>;
  /** All of it or nothing. */
  readonly writeAlerts: (write: AlertsWrite) => Promise<"written" | "fenced">;
}
