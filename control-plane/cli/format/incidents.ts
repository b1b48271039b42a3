/** `regent incident`: what people were told of. Pure. */
import type { Incident, IncidentPage } from "@regent/contract";
import { clockMsText } from "./numbers.ts";
import type { Paint } from "./paint.ts";

export const toIncidentLines = ({ incidents, next }: IncidentPage, paint: Paint): string[] => [
  ...(incidents.length === 0 ? ["There are no incidents."] : incidents.flatMap((incident) => toHead(incident, paint))),
  ...(next === null ? [] : [paint.dim(`More: regent incident list --cursor ${next}`)]),
];

export const toIncidentDetail = (incident: Incident, paint: Paint): string[] => [
  ...toHead(incident, paint),
  ...incident.lines.map(({ at, why }) => `  ${clockMsText(at)}  ${why}`),
  ...(incident.hit === 0 ? [] : [`  hit: ${incident.parts.join(", ")}${incident.hit > incident.parts.length ? ", …" : ""}`]),
];

const toHead = (incident: Incident, paint: Paint): string[] => {
  const { id, state, severity, title, openedAt, closedAt, hit, unwell, acknowledged } = incident;
  const over = closedAt === null ? "" : `, over ${clockMsText(closedAt)}`;
  const by = acknowledged === null ? "" : `, acknowledged by ${acknowledged.by}`;
  return [
    `${paint.bold(id)}  ${state}  ${severity}  ${title}`,
    `  opened ${clockMsText(openedAt)}${over}; ${hit} hit, ${unwell} not well${by}`,
  ];
};
