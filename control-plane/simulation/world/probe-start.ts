/** One probe that begins: who looks at what, and when. */
import type { Vantage } from "@regent/engine";

export interface ProbeStart {
  /** Milliseconds since the world began. */
  readonly at: number;
  readonly agent: string;
  readonly vantage: Vantage;
  /** `service/region/check`. */
  readonly target: string;
  readonly service: string;
  /** The target's region. */
  readonly region: string;
  readonly check: string;
  /** What a probe that hangs costs, ms. */
  readonly timeoutMs: number;
}
