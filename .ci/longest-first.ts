/**
 * Two files at a time end soonest when those that wait for minutes begin first. Not two at once that start all of Regent: both would find its
 * well-known port free, and one of them would be wrong.
 */
import { BaseSequencer, type TestSpecification } from "vitest/node";

const LONGEST = ["flapping.test.ts", "crash-points.test.ts", "stateful.test.ts", "virtual-day.test.ts"];

const placeOf = ({ moduleId }: TestSpecification): number => {
  const place = LONGEST.findIndex((name) => moduleId.endsWith(name));
  return place < 0 ? LONGEST.length : place;
};

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b));
  }
}
