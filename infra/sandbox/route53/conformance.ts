/**
 * What we expect of Route 53, as sentences that run. The same list is asked of the sandbox here and, unchanged, of a real zone where
 * one is given: whatever differs is a fault of the sandbox. Needs the unmodified SDK client and a zone that may be written in.
 * Some 300 calls, half of them changes: with the real account's 5 a second, about a minute.
 */
import { batchExpectations } from "./conformance/batches.ts";
import { healthCheckExpectations } from "./conformance/health-checks.ts";
import { listingExpectations } from "./conformance/listing.ts";
import { nameAndValueExpectations } from "./conformance/names-and-values.ts";
import { policyExpectations } from "./conformance/policies.ts";
import type { Expectation } from "./conformance/subject.ts";

export type { Expectation, Subject } from "./conformance/subject.ts";

/** Each runs alone, in any order, and leaves the zone as it was. A failed one rejects with an AssertionError or the SDK's error. */
export const route53Expectations: readonly Expectation[] = [
  ...batchExpectations,
  ...policyExpectations,
  ...nameAndValueExpectations,
  ...listingExpectations,
  ...healthCheckExpectations,
];
