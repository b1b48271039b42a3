/** A rehearsal that can be run: every word of the file resolved against its configuration. */
import type { OverrideWhat } from "@regent/contract";
import type { OperatorMove, OperatorRequest } from "@regent/engine";
import type { FreezeScope } from "@regent/server/operations/control-plane.ts";
import type { Installation } from "../world/stationing.ts";
import type { DnsFault } from "../world/virtual-dns.ts";
import type { ForeignEdit } from "../world/virtual-server.ts";
import type { FactLine, HookWay } from "./databases.ts";
import type { Expectation } from "./expectation.ts";
import type { OutcomeLine } from "./outcomes.ts";

export type OperatorAct =
  | {
      readonly kind: "move";
      readonly service: string;
      readonly move: OperatorMove;
      readonly breakGlass: OperatorRequest["breakGlass"];
    }
  | { readonly kind: "freeze"; readonly scope: FreezeScope; readonly isFrozen: boolean }
  | {
      readonly kind: "override";
      readonly service: string;
      readonly what: OverrideWhat;
      readonly forMs: number;
      readonly breakGlass: OperatorRequest["breakGlass"];
    }
  | { readonly kind: "answer"; readonly service: string; readonly isApproved: boolean };

export interface OperatorLine {
  readonly atMs: number;
  readonly by: string;
  readonly reason: string;
  readonly act: OperatorAct;
}

export interface MaintenanceLine {
  readonly fromMs: number;
  readonly toMs: number;
  readonly by: string;
  readonly reason: string;
  readonly regions: readonly string[];
  /** null: all. */
  readonly services: readonly string[] | null;
}

export interface DnsLine {
  readonly fromMs: number;
  readonly toMs: number;
  readonly fault: DnsFault;
}

/** What somebody else writes in DNS. */
export interface EditLine {
  readonly atMs: number;
  readonly edit: ForeignEdit;
}

/** Another version of the configuration, in force from this moment on. */
export interface ConfigurationLine {
  readonly atMs: number;
  readonly installation: Installation;
  readonly text: string;
}

/** Times are ms of the timeline. */
export interface Rehearsal {
  readonly fileName: string;
  readonly name: string;
  readonly why: string | null;
  readonly seed: number;
  readonly stepMs: number;
  readonly forMs: number;
  readonly installation: Installation;
  /** Later ones go first. */
  readonly outcomes: readonly OutcomeLine[];
  /** Later ones go first. */
  readonly facts: readonly FactLine[];
  readonly hook: HookWay;
  readonly operators: readonly OperatorLine[];
  readonly maintenance: readonly MaintenanceLine[];
  readonly dns: readonly DnsLine[];
  readonly edits: readonly EditLine[];
  readonly configuration: readonly ConfigurationLine[];
  readonly expect: readonly Expectation[];
}
