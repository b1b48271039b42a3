/** Notifiers and services that `notify` names and nobody declared, and notifiers that are declared twice. Pure. */
import type { Declaration, Notify } from "@regent/contract";
import { suggestDeclared } from "../nearest.ts";
import type { ConfigurationProblem, Path } from "../problem-path.ts";
import { findDuplicates } from "./duplicates.ts";

export const findNotifyProblems = ({ notify, services }: Declaration): ConfigurationProblem[] => {
  if (!notify) return [];
  const serviceIds = services.map(({ id }) => id);
  const notifierIds = notify.notifiers.map(({ id }) => id);
  const unknownService = findUnknown("service", serviceIds, ["services"]);
  const unknownNotifier = findUnknown("notifier", notifierIds, ["notify", "notifiers"]);
  return [
    ...findDuplicates(
      notify.notifiers.map(({ id }, at) => ({ key: id, path: ["notify", "notifiers", at, "id"] })),
      (id) => `notifier "${id}"`,
    ),
    ...notify.notifiers.flatMap((notifier, at) => unknownService(notifier.services, ["notify", "notifiers", at, "services"])),
    ...notify.routes.flatMap((route, at) => [
      ...unknownService(route.services, ["notify", "routes", at, "services"]),
      ...unknownNotifier(route.notifiers, ["notify", "routes", at, "notifiers"]),
    ]),
    ...unknownNotifier(notify.escalateTo, ["notify", "escalateTo"]),
    ...findHalfLogins(notify),
  ];
};

const findUnknown =
  (what: string, known: readonly string[], restsOn: Path) =>
  (named: readonly string[] | undefined, path: Path): ConfigurationProblem[] =>
    (named ?? []).flatMap((id, at) =>
      known.includes(id)
        ? []
        : [
            {
              path: [...path, at],
              message: `unknown ${what} "${id}"`,
              suggestion: suggestDeclared(id, known),
              restsOn: [restsOn],
            },
          ],
    );

/** A user without a password logs in nowhere, and so does a password without a user. */
const findHalfLogins = ({ notifiers }: Notify): ConfigurationProblem[] =>
  notifiers.flatMap((notifier, at) =>
    notifier.kind === "smtp" && (notifier.user === undefined) !== (notifier.secret === undefined)
      ? [{ path: ["notify", "notifiers", at], message: "a mail server's login needs both `user` and `secret`" }]
      : [],
  );
