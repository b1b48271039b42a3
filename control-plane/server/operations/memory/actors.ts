/** Who acts, as history names them. */
import type { Actor } from "@regent/contract";

export const AUTOMATION: Actor = { kind: "automation", name: "regent" };

export const operator = (name: string): Actor => ({ kind: "operator", name });
