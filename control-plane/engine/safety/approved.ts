/** What a person agreed to. Pure. */
import type { Approved, Proposal } from "../model.ts";
import { sameWeights } from "../strategy/parts.ts";

/** A person agreed to what this says. Only what they heard of is thereby answered. */
export const isApproved = ({ question, weightsAfter }: Proposal, approved: Approved | null): approved is Approved =>
  approved !== null &&
  approved.question === question &&
  sameWeights(approved.weights, weightsAfter) &&
  sameWeights(weightsAfter, approved.weights);
