/** The region dashboard: who serves, why we think so, what was done. */
import type { Overview } from "@regent/contract";
import { Agents } from "./agents.tsx";
import { Incidents } from "./incidents.tsx";
import { type Live, useLive } from "./live.ts";
import { ServiceCard } from "./service-card.tsx";
import { sentence } from "./text.ts";

export const App = () => {
  const live = useLive();
  return (
    <>
      <a className="skip" href="#services">
        Skip to services
      </a>
      <Page live={live} />
    </>
  );
};

const Page = ({ live }: { readonly live: Live }) => {
  switch (live.kind) {
    case "loading":
      return (
        <main className="notice" aria-busy="true">
          <h1>Regent</h1>
          <p>Asking the control plane…</p>
        </main>
      );
    case "signed-out":
      return (
        <main className="notice">
          <h1>Regent</h1>
          <p>You are not signed in, or your session of two hours is over.</p>
          <p>
            Run <code>npx regent open</code> where the control plane runs: it gives you a link that works once.
          </p>
        </main>
      );
    case "shown":
      return <Shown {...live} />;
  }
};

const Shown = ({ overview, history, isStale }: Extract<Live, { kind: "shown" }>) => (
  <>
    <Header overview={overview} />
    {isStale && (
      <p className="banner stale" role="alert">
        The connection to the control plane is lost. What you see is from {new Date(overview.at).toISOString().slice(11, 19)}Z;
        traffic stays as it is.
      </p>
    )}
    {overview.frozen && (
      <p className="banner frozen" role="status">
        Automation is off: frozen by {overview.frozen.by} — {sentence(overview.frozen.reason)} People can still move traffic.{" "}
        <code>regent unfreeze --global --reason …</code> ends it.
      </p>
    )}
    <main>
      <section id="services" aria-label="Services">
        {overview.services.length === 0 && (
          <p className="empty">No service is declared yet. Declare one in regent.yaml and run npx regent apply.</p>
        )}
        {overview.services.map((service) => (
          <ServiceCard
            key={service.id}
            service={service}
            now={overview.at}
            isFrozenAsAll={service.frozen?.at === overview.frozen?.at && service.frozen?.reason === overview.frozen?.reason}
          />
        ))}
      </section>
      <div className="below">
        <Incidents history={history} now={overview.at} />
        <Agents agents={overview.agents} now={overview.at} />
      </div>
    </main>
  </>
);

const Header = ({ overview }: { readonly overview: Overview }) => {
  const sick = overview.services.flatMap(({ id, regions }) =>
    regions.filter(({ verdict }) => verdict === "unhealthy").map(({ region }) => `${id} in ${region}`),
  );
  return (
    <header>
      <h1>Regent</h1>
      <p className={sick.length > 0 ? "headline bad" : "headline"} role="status">
        {sick.length > 0 ? `✕ Unhealthy: ${sick.join(", ")}` : `● ${overview.services.length} services, no region is unhealthy`}
      </p>
      <p className="meta">
        {overview.owner} · <span className={overview.mode === "normal" ? "" : "mode"}>{overview.mode}</span> ·{" "}
        {overview.leader ? `term ${overview.leader.term}` : <span className="mode">nobody leads</span>} · configuration{" "}
        {overview.configurationVersion}
      </p>
    </header>
  );
};
