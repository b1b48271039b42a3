/** The same thing declared twice. Pure. */
import type { ConfigurationProblem, Path } from "../problem-path.ts";

export interface Claim {
  /** What must be unique. */
  readonly key: string | number;
  readonly path: Path;
}

/** One problem per claim that isn't the first of its key, at the later place. `what` names the thing: `region "eu-west"`. */
export const findDuplicates = (claims: readonly Claim[], what: (key: string | number) => string): ConfigurationProblem[] => {
  const seen = new Set<string | number>();
  return claims.flatMap(({ key, path }) => {
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [{ path, message: `${what(key)} is declared twice` }];
  });
};
