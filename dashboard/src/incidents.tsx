/** What happened, newest first; a change shows the way from the first failure to what the world sees. */
import type { Change, HistoryPage } from "@regent/contract";
import { ago, clock, span } from "./text.ts";

export const Incidents = ({ history, now }: { readonly history: HistoryPage; readonly now: number }) => (
  <section aria-labelledby="history">
    <h2 id="history">History</h2>
    {history.events.length === 0 && <p className="empty">Nothing has happened yet.</p>}
    <ol className="history">
      {history.events.map((event) => (
        <li key={event.id} className={event.page ? "page" : ""}>
          <span className="meta">
            {clock(event.at)} · {ago(event.at, now)} · {event.service ?? "everything"} · {event.change?.kind ?? event.kind} ·{" "}
            {event.actor.name}
          </span>
          <p>{event.why}</p>
          {event.change && <Clocks change={event.change} />}
        </li>
      ))}
    </ol>
  </section>
);

const Clocks = ({ change: { times } }: { readonly change: Change }) => (
  <dl className="clocks">
    <div>
      <dt>detected → decided</dt>
      <dd>{span(times.detected, times.decided)}</dd>
    </div>
    <div>
      <dt>→ accepted</dt>
      <dd>{span(times.decided, times.accepted)}</dd>
    </div>
    <div>
      <dt>→ visible</dt>
      <dd>{span(times.accepted, times.visible)}</dd>
    </div>
    <div>
      <dt>→ in sync</dt>
      <dd>{span(times.accepted, times.inSync)}</dd>
    </div>
  </dl>
);
