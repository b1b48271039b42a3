/** What changes in one service, and what that means in DNS. Pure. Called by difference.ts. */
import type { Check, Declaration, Endpoint, Family, Service } from "@regent/contract";
import { epochName } from "@regent/engine";
import { toModeLine, toSafetyLines } from "./difference-safety.ts";
import { toFieldLines, toFieldText } from "./field-lines.ts";
import { type Pair, pairById } from "./pair-by-id.ts";
import { toTypes } from "./record-types.ts";
import { toServiceSafety } from "./service-settings.ts";

export const toAddedServiceLines = (service: Service, after: Declaration, before: Declaration | null): string[] => {
  const former = before?.services.find(
    ({ id, name }) => name === service.name && !after.services.some((other) => other.id === id),
  );
  const regions = service.endpoints.map(({ region }) => region).join(", ");
  const what = `service ${service.id}: added, ${service.name}, ${service.strategy.kind} over ${regions}`;
  if (former === undefined) return [`${what}; ${createsSentence(service, after)}`];
  return [
    `${what}; takes over the name from service ${former.id}: its records and epoch record stay, verdicts and history start anew`,
  ];
};

export const toRemovedServiceLines = (service: Service, after: Declaration): string[] => {
  const heir = after.services.find(({ name }) => name === service.name);
  if (heir !== undefined) return [`service ${service.id}: removed; its name ${service.name} goes to service ${heir.id}`];
  return [`service ${service.id}: removed; Regent stops writing ${namesOf(service).join(", ")}, and deletes nothing there`];
};

export const toChangedServiceLines = (before: Service, after: Service, declaration: Declaration): string[] => {
  const label = `service ${after.id}: `;
  const { endpoints: endpointsBefore, checks: checksBefore, families: familiesBefore = [], ...restBefore } = before;
  const { endpoints, checks, families = [], ...rest } = after;
  // Each of these has words of its own.
  const worded = { name: null, zone: null, mode: null, safety: null };
  const lines = [
    ...toFieldLines({ ...restBefore, ...worded }, { ...rest, ...worded }),
    ...toModeLine(before.mode, after.mode),
    ...toSafetyLines(before.safety, after.safety, { limits: toServiceSafety(declaration, after) }),
    ...toEndpointLines(endpointsBefore, endpoints, after),
    ...toCheckLines(checksBefore, checks),
    ...toFamilyLines(familiesBefore, families, after),
  ];
  return [...toRenameLines(before, after, declaration), ...lines].map((line) => label + line);
};

const toRenameLines = (before: Service, after: Service, declaration: Declaration): string[] => {
  const isMoved = before.zone !== after.zone;
  if (before.name === after.name && !isMoved) return [];
  const from = isMoved ? `${before.name} in zone ${before.zone}` : before.name;
  const to = isMoved ? `${after.name} in zone ${after.zone}` : after.name;
  return [
    `name: ${from} -> ${to}; ${createsSentence(after, declaration)}; the records of ${before.name} stay, Regent stops writing them`,
  ];
};

const toEndpointLines = (before: readonly Endpoint[], after: readonly Endpoint[], service: Service): string[] =>
  pairById(before, after, ({ region }) => region).flatMap((pair) => toEndpointLine(pair, service));

const toEndpointLine = (pair: Pair<Endpoint>, service: Service): string[] => {
  const label = `endpoint ${pair.id}: `;
  switch (pair.kind) {
    case "added":
      return [`${label}added, ${toAnswersText(pair.after)}; creates ${countText([pair.after], service)}`];
    case "removed":
      return [`${label}removed; deletes ${countText([pair.before], service)}`];
    case "kept":
      // "A 192.0.2.10 -> 192.0.2.11" is how people speak of records.
      return toFieldLines(pair.before, pair.after).map((line) => label + line.replace(/^(A|AAAA|CNAME): /, "$1 "));
  }
};

const toAnswersText = (endpoint: Endpoint): string =>
  toTypes([endpoint])
    .map((type) => `${type} ${toFieldText(endpoint[type])}`)
    .join(", ");

const toCheckLines = (before: readonly Check[], after: readonly Check[]): string[] =>
  pairById(before, after, ({ id }) => id).flatMap((pair) =>
    pair.kind === "kept"
      ? toFieldLines(pair.before, pair.after).map((line) => `check ${pair.id}: ${line}`)
      : [`check ${pair.id}: ${pair.kind}`],
  );

const toFamilyLines = (before: readonly Family[], after: readonly Family[], service: Service): string[] =>
  pairById(before, after, ({ id }) => id).flatMap((pair) => toFamilyLine(pair, service));

/** A family is its name's records: another name means other records, and the old ones are left alone. */
const toFamilyLine = (pair: Pair<Family>, { endpoints }: Service): string[] => {
  const label = `family ${pair.id}: `;
  const creates = `creates ${countText(endpoints, {})}`;
  switch (pair.kind) {
    case "added":
      return [`${label}added, ${pair.after.name}; ${creates}`];
    case "removed":
      return [`${label}removed; Regent stops writing ${pair.before.name}, its records stay`];
    case "kept":
      return toFieldLines(pair.before, pair.after).map((line) =>
        line.startsWith("name: ") ? `${label}${line}; ${creates}, the records of ${pair.before.name} stay` : label + line,
      );
  }
};

/** `creates 3 weighted A records and the epoch record _regent.www.example.com`. */
const createsSentence = (service: Service, { epochLabel }: Declaration): string =>
  `creates ${countText(service.endpoints, service)} and the epoch record ${epochName(epochLabel, service.name, service.zone)}`;

/** `6 weighted A and AAAA records`: one per endpoint, type and family. */
const countText = (
  endpoints: readonly Endpoint[],
  { families }: { readonly families?: readonly Family[] | undefined },
): string => {
  const types = toTypes(endpoints);
  const records = endpoints.length * types.length * (families?.length ?? 1);
  return `${records} weighted ${types.join(" and ")} record${records === 1 ? "" : "s"}`;
};

const namesOf = ({ name, families }: Service): string[] => families?.map((family) => family.name) ?? [name];
