/**
 * Laws are tried on the same examples by everybody, so that a run that fails says something about the change at hand. The hunt for an example
 * that nobody has met is its own run: REGENT_SEED=random, with REGENT_RUNS examples for each law.
 */
import * as fc from "fast-check";

const { REGENT_SEED = "1", REGENT_RUNS } = process.env;

fc.configureGlobal({
  ...(REGENT_SEED === "random" ? {} : { seed: Number(REGENT_SEED) }),
  ...(REGENT_RUNS ? { numRuns: Number(REGENT_RUNS) } : {}),
});
