/**
 * What we expect of Route 53, as sentences that run. The same list is asked of the sandbox and, unchanged, of a real zone where one is
 * given: whatever differs is a fault of the sandbox. docs/ROUTE53.md is made of it.
 */
import { ambiguityExpectations, fenceExpectations } from "./conformance/batches.ts";
import { coexistenceExpectations } from "./conformance/coexistence.ts";
import { healthCheckExpectations } from "./conformance/health-checks.ts";
import { limitExpectations } from "./conformance/limits.ts";
import { listingExpectations } from "./conformance/listing.ts";
import { nameAndValueExpectations } from "./conformance/names-and-values.ts";
import type { Expectation, ExpectationGroup } from "./conformance/subject.ts";
import { weightExpectations } from "./conformance/weights.ts";

export const route53Groups: readonly ExpectationGroup[] = [
  fenceExpectations,
  ambiguityExpectations,
  limitExpectations,
  weightExpectations,
  coexistenceExpectations,
  nameAndValueExpectations,
  listingExpectations,
  healthCheckExpectations,
];

/** Each runs alone, in any order, and leaves the zone as it was. A failed one rejects with an AssertionError or the SDK's error. */
export const route53Expectations: readonly Expectation[] = route53Groups.flatMap(({ expectations }) => expectations);
