/** One service: a row per region with its verdict, why, and the shares wanted, written and seen. */
import type { Approval, RegionVerdict, ServiceState } from "@regent/contract";
import { useState } from "react";
import { ago, clock, MARKS, percent, sentence } from "./text.ts";

interface CardProps {
  readonly service: ServiceState;
  readonly now: number;
  /** Everything is frozen: said above all cards already. */
  readonly isFrozenAsAll: boolean;
}

export const ServiceCard = ({ service, now, isFrozenAsAll }: CardProps) => (
  <article className="card" aria-labelledby={`service-${service.id}`}>
    <div className="card-head">
      <h2 id={`service-${service.id}`}>{service.id}</h2>
      <span className="meta">
        {service.name} · {service.strategy} · revision {service.revision} · profile {service.profile}
      </span>
    </div>
    {service.now !== service.blockedBy && service.now !== service.drift && <p className="now">{service.now}</p>}
    <Standing service={service} isFrozenAsAll={isFrozenAsAll} />
    {service.families.map((family) => (
      <table key={family}>
        <caption>{service.families.length > 1 ? `Family ${family}` : "Regions"}</caption>
        <thead>
          <tr>
            <th scope="col">Region</th>
            <th scope="col">Verdict</th>
            <th scope="col" className="number">
              Wanted
            </th>
            <th scope="col" className="number">
              Written
            </th>
            <th scope="col" className="number">
              Seen
            </th>
          </tr>
        </thead>
        <tbody>
          {service.regions.map((region) => (
            <RegionRow key={region.region} region={region} service={service} family={family} now={now} />
          ))}
        </tbody>
      </table>
    ))}
    {seenElsewhere(service) && <p className="meta">Seen differs from written: {service.seen?.why}</p>}
  </article>
);

/** Why automation does nothing for this service, each with the way out. */
const Standing = ({ service, isFrozenAsAll }: Omit<CardProps, "now">) => (
  <>
    {service.blockedBy && <p className="banner">Not ours to write: {service.blockedBy}</p>}
    {service.drift && (
      <p className="banner">
        Edited in DNS, automation stands still: {service.drift} <code>regent explain {service.id}</code> says what ends it.
      </p>
    )}
    {service.frozen && !isFrozenAsAll && (
      <p className="banner">
        Frozen by {service.frozen.by} — {sentence(service.frozen.reason)} <code>regent unfreeze {service.id} --reason …</code>{" "}
        ends it.
      </p>
    )}
    {service.approval?.state === "waiting" && <Waiting approval={service.approval} />}
    {service.mode === "advisory" && (
      <p className="banner">Mode advisory: Regent decides and tells, and moves nothing by itself.</p>
    )}
    {service.mode === "approve" && <p className="banner">Mode approve: Regent moves only what a person approves.</p>}
  </>
);

/** Nothing but a person's word lacks. */
const Waiting = ({ approval: { id, kind, why, asks, lapsesAt, onLapse } }: { readonly approval: Approval }) => (
  <p className="banner" role="status">
    Waits for a person until {clock(lapsesAt)}, then {onLapse === "proceed" ? "it is done" : "traffic stays"}: {kind}, because{" "}
    {sentence(why)} Asked by {asks.map((ask) => (ask === "mode" ? "the mode approve" : ask)).join(", ")}.{" "}
    <code>regent change approve {id} --reason …</code> makes it, <code>regent change refuse {id} --reason …</code> doesn't.
  </p>
);

/** DNS answers other shares than the weights say: a name server lags, or Route 53's own checks take part. */
const seenElsewhere = ({ seen, written }: ServiceState): boolean =>
  Object.entries(seen?.shares ?? {}).some(([family, shares]) => {
    const weights = written[family] ?? {};
    const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);
    return sum > 0 && Object.entries(shares).some(([region, share]) => Math.abs(share - (weights[region] ?? 0) / sum) > 0.005);
  });

interface RowProps {
  readonly region: RegionVerdict;
  readonly service: ServiceState;
  readonly family: string;
  readonly now: number;
}

const RegionRow = ({ region, service, family, now }: RowProps) => {
  const [isOpen, setOpen] = useState(false);
  const wanted = service.wanted[family]?.[region.region];
  const drained = service.drained[region.region];
  return (
    <>
      <tr className={region.verdict}>
        <th scope="row">
          <button type="button" className="why" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {region.region}
          </button>
        </th>
        <td>
          <span className={`verdict ${region.verdict}`}>
            <span aria-hidden="true">{MARKS[region.verdict]}</span> {region.verdict}
          </span>
          {region.score !== null && (
            <span className="score" title="Score, 0 to 100">
              {" "}
              {region.score}
            </span>
          )}
          {drained && <span className="flag">drained</span>}
          {region.flags.map((flag) => (
            <span className="flag" key={flag}>
              {flag}
            </span>
          ))}
        </td>
        <td className="number">
          <Bar share={wanted ?? 0} /> <span className="percent">{percent(wanted)}</span>
        </td>
        <td className="number">{service.written[family]?.[region.region] ?? "–"}</td>
        <td className="number">{percent(service.seen?.shares?.[family]?.[region.region])}</td>
      </tr>
      {(isOpen || region.verdict === "unhealthy") && (
        <tr className="detail">
          <td colSpan={5}>
            <p>
              {region.why}{" "}
              <span className="meta">
                Since {clock(region.since)}, {ago(region.since, now)}.
              </span>
            </p>
            {isOpen && <Votes region={region} />}
          </td>
        </tr>
      )}
    </>
  );
};

const Votes = ({ region }: { readonly region: RegionVerdict }) => (
  <ul className="votes">
    {region.votes.map(({ vantage, view, vote, because }) => (
      <li key={`${view} ${vantage}`}>
        <span aria-hidden="true">{vote === "up" ? "●" : vote === "down" ? "✕" : "?"}</span> {vantage} ({view}): {vote} — {because}
      </li>
    ))}
  </ul>
);

const Bar = ({ share }: { readonly share: number }) => (
  <svg className="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
    <rect className="track" width="100" height="8" rx="2" />
    <rect className="fill" width={share * 100} height="8" rx="2" />
  </svg>
);
