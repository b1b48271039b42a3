/** New names for what is written: in order within a process, never twice. */
import { monotonicFactory } from "ulid";
import type { Ids } from "../../ports/clock.ts";

export const createIds = (): Ids => ({ ulid: monotonicFactory() });
