/** What the control plane says, kept current: one read, then again whenever the event stream tells of a change. */
import { HistoryPage, Overview } from "@regent/contract";
import { useEffect, useState } from "react";

export type Live =
  | { readonly kind: "loading" }
  | { readonly kind: "signed-out" }
  | { readonly kind: "shown"; readonly overview: Overview; readonly history: HistoryPage; readonly isStale: boolean };

/** Changes often come several at once; one read answers them all. */
const GATHER_MS = 60;
/** Without any event: verdict times and agents' freshness still move. */
const REFRESH_MS = 5_000;
const RETRY_MS = 1_500;

export const useLive = (): Live => {
  const [live, setLive] = useState<Live>({ kind: "loading" });
  useEffect(() => follow(setLive), []);
  return live;
};

type Show = (next: (before: Live) => Live) => void;

const follow = (show: Show): (() => void) => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isReading = false;
  const stream = new EventSource("/v1/events");

  const read = async (): Promise<void> => {
    if (isReading) return again(GATHER_MS);
    isReading = true;
    const next = await readAll();
    isReading = false;
    show((before) => next ?? (before.kind === "shown" ? { ...before, isStale: true } : before));
    if (next?.kind !== "signed-out") again(next ? REFRESH_MS : RETRY_MS);
  };
  const again = (ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void read(), ms);
  };
  // The server names its events by what changed.
  for (const name of ["message", "overview", "history"]) stream.addEventListener(name, () => again(GATHER_MS));
  stream.addEventListener("error", () => show((before) => (before.kind === "shown" ? { ...before, isStale: true } : before)));
  void read();
  return () => {
    clearTimeout(timer);
    stream.close();
  };
};

/** null: the control plane can't be reached, or said something that isn't understood. */
const readAll = async (): Promise<Live | null> => {
  try {
    const [overview, history] = await Promise.all([fetch("/v1/overview"), fetch("/v1/history?limit=20")]);
    if (overview.status === 401) return { kind: "signed-out" };
    if (!overview.ok || !history.ok) return null;
    return {
      kind: "shown",
      overview: Overview.parse(await overview.json()),
      history: HistoryPage.parse(await history.json()),
      isStale: false,
    };
  } catch {
    return null;
  }
};
