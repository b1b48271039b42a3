/** Who acts, as history names them. */
import type { Actor } from "@regent/contract";

export const AUTOMATION: Actor = { kind: "automation", name: "regent" };

export const operator = (name: string): Actor => ({ kind: "operator", name });

/** Whoever wrote DNS without a control plane: the epoch record has no room for a name. */
export const OFFLINE_OPERATOR: Actor = operator("offline operator");
