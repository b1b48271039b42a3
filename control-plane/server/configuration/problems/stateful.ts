/** A service with one writable place whose place nobody could see, or whose traffic would not follow it. Pure. */
import type { Check, Declaration, Service } from "@regent/contract";
import { suggestDeclared } from "../nearest.ts";
import type { ConfigurationProblem, Path } from "../problem-path.ts";

export const findStatefulProblems = ({ services }: Declaration): ConfigurationProblem[] =>
  services.flatMap((service, at) => {
    if (service.stateful === undefined) return [];
    const path: Path = ["services", at];
    return [
      ...findStrategyProblems(service, path),
      ...findFamilyProblems(service, path),
      ...findCheckProblems(service, service.stateful.check, path),
    ];
  });

/** Traffic anywhere but at the writable place would write nowhere, or at two places. */
const findStrategyProblems = ({ strategy }: Service, path: Path): ConfigurationProblem[] => {
  if (strategy.kind !== "active-passive")
    return [
      {
        path: [...path, "stateful"],
        message: `a stateful service has one writable place, and ${strategy.kind} sends traffic to several`,
        suggestion: "strategy: { kind: active-passive }",
        restsOn: [[...path, "strategy"]],
      },
    ];
  if (strategy.trickle > 0)
    return [
      {
        path: [...path, "strategy", "trickle"],
        message: `a stateful service's standbys get no traffic, and trickle is ${strategy.trickle}`,
        suggestion: "trickle 0, or leave it out",
        restsOn: [[...path, "stateful"]],
      },
    ];
  return [];
};

/** Data has one place for all viewers: a family of its own preference would lead its traffic where nothing can be written. */
const findFamilyProblems = ({ families = [] }: Service, path: Path): ConfigurationProblem[] =>
  families.flatMap(({ id, priority }, at) =>
    priority === undefined
      ? []
      : [
          {
            path: [...path, "families", at, "priority"],
            message: `a stateful service has one writable place, and family "${id}" prefers regions of its own`,
            suggestion: "priority at the endpoints, for all families",
            restsOn: [[...path, "stateful"]],
          },
        ],
  );

const findCheckProblems = ({ checks }: Service, id: string, path: Path): ConfigurationProblem[] => {
  const at: Pick<ConfigurationProblem, "path" | "restsOn"> = {
    path: [...path, "stateful", "check"],
    restsOn: [[...path, "checks"]],
  };
  const check = checks.find((one) => one.id === id);
  if (check === undefined) {
    const known = checks.flatMap((one) => (one.kind === "postgres" ? one.id : []));
    return [{ ...at, message: `unknown check "${id}"`, suggestion: suggestDeclared(id, known) }];
  }
  const whyBlind = findBlindness(check);
  return whyBlind === null ? [] : [{ ...at, message: `check "${id}" can't see where the writable database is: ${whyBlind}` }];
};

const findBlindness = (check: Check): string | null => {
  if (check.kind !== "postgres") return `it is of kind ${check.kind}, and only postgres tells a role`;
  if (check.from === "outside") return "only agents outside run it, and the role is believed of agents beside the database";
  if (check.secret === undefined) return "without a secret nobody logs in, and only whether it accepts is asked";
  if (check.role !== "any")
    return `with role: ${check.role} one side is down for what it is, and could never be told from broken`;
  return null;
};
