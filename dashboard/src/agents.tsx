/** Who reports, from where, and when they were last heard. */
import type { AgentState } from "@regent/contract";
import { ago } from "./text.ts";

export const Agents = ({ agents, now }: { readonly agents: readonly AgentState[]; readonly now: number }) => (
  <section aria-labelledby="agents">
    <h2 id="agents">Agents</h2>
    {agents.length === 0 && <p className="empty">No agent is declared: nobody can judge health.</p>}
    <ul className="agents">
      {agents.map((agent) => (
        <li key={agent.id} className={agent.fresh ? "" : "silent"}>
          <span aria-hidden="true">{agent.fresh ? "●" : "?"}</span> {agent.id}{" "}
          <span className="meta">
            {agent.region}/{agent.network} ·{" "}
            {agent.lastReportAt === null ? "never heard" : `heard ${ago(agent.lastReportAt, now)}`}
            {agent.mode && agent.mode !== "normal" ? ` · ${agent.mode}` : ""}
          </span>
        </li>
      ))}
    </ul>
  </section>
);
