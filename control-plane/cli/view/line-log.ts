/** What `regent up` says where nothing can be redrawn: a line for each thing that happens. */
import { toEventLine } from "../format/history.ts";
import { toServiceLine } from "../format/overview.ts";
import { VIEW_PERIOD_MS } from "../limits.ts";
import { createGatherer, type Picture } from "./gather.ts";
import { FOOT, type LiveView, type Showing } from "./live-view.ts";
import { repeat } from "./repeat.ts";

export const createLineLog = ({ context, state, startedAt }: Showing): LiveView => {
  const { out } = context.terminal;
  const gatherer = createGatherer(context.connect, state().nameServers);
  const told = new Set<string>();
  let isReady = false;
  const stop = repeat(VIEW_PERIOD_MS, async () => {
    const picture = await gatherer.look();
    for (const event of [...picture.events].reverse()) {
      if (told.has(event.id)) continue;
      told.add(event.id);
      out(`${toEventLine(event)}\n`);
    }
    if (isReady || !isServing(picture)) return;
    isReady = true;
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    const services = picture.overview?.services.map(toServiceLine) ?? [];
    out(
      `${[...services, `Ready in ${seconds} s: every region of every service is healthy and answers. ${state().server}`, ...FOOT].join("\n")}\n`,
    );
  });
  return { say: (line) => out(`${line}\n`), close: stop };
};

/** Every region has a first verdict that it is fit, and DNS answers every name. */
export const isServing = ({ overview, answers }: Picture): boolean =>
  overview !== null &&
  overview.services.length > 0 &&
  overview.services.every(
    ({ id, regions }) =>
      regions.length > 0 &&
      regions.every(({ verdict }) => verdict === "healthy") &&
      Object.keys(answers[id] ?? {}).some((values) => /^\d+\.\d+\.\d+\.\d+/.test(values)),
  );
