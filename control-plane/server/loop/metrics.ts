/** What Prometheus may ask of this process. Names end in their unit; labels come from closed lists and declared ids only. */

import { type Change, type DeadLetterKind, Overview } from "@regent/contract";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { ClockStep } from "../ports/clock.ts";

export interface Metrics {
  readonly reportTaken: (agent: string) => void;
  readonly refused: (door: "reports" | "operator", problem: string) => void;
  readonly routed: (what: string) => void;
  readonly looked: (measured: { services: number; ms: number }) => void;
  readonly changeAccepted: (change: Change, now: number) => void;
  readonly deadLetterKept: (kept: { kind: DeadLetterKind; dropped: number }) => void;
  readonly deadLettersLeft: (count: number) => void;
  readonly clockJumped: (step: ClockStep) => void;
  /** Exports the mode from now on. */
  readonly watchMode: (mode: () => Overview["mode"]) => void;
  readonly text: () => Promise<string>;
  readonly registry: Registry;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export const createMetrics = (isLeading: () => boolean): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const reports = new Counter({
    name: "regent_reports_total",
    help: "Reports taken, by agent",
    labelNames: ["agent"],
    registers,
  });
  const refusals = new Counter({
    name: "regent_refusals_total",
    help: "Refused requests, by door and problem",
    labelNames: ["door", "problem"],
    registers,
  });
  const calls = new Counter({
    name: "regent_route53_sends_total",
    help: "Change calls and their answers",
    labelNames: ["answer"],
    registers,
  });
  const looks = new Histogram({
    name: "regent_look_seconds",
    help: "Judging and deciding what was touched",
    buckets: SECONDS,
    registers,
  });
  const services = new Counter({ name: "regent_services_decided_total", help: "Services decided", registers });
  const accepted = new Histogram({
    name: "regent_decided_to_accepted_seconds",
    help: "From decision to accepted batch",
    labelNames: ["kind"],
    buckets: SECONDS,
    registers,
  });
  const deadLetters = new Counter({
    name: "regent_dead_letters_total",
    help: "Reports and strikes put aside by this process, by kind",
    labelNames: ["kind"],
    registers,
  });
  const deadLettersDropped = new Counter({
    name: "regent_dead_letters_dropped_total",
    help: "Old dead letters that went for new ones",
    registers,
  });
  const deadLettersLeft = new Gauge({
    name: "regent_dead_letters",
    help: "Dead letters that wait for a person, as last counted",
    registers,
  });
  const clockJumps = new Counter({
    name: "regent_clock_jumps_total",
    help: "Jumps of the database's clock that this process noticed",
    registers,
  });
  const clockJump = new Gauge({
    name: "regent_clock_last_jump_seconds",
    help: "How far the database's clock jumped last; negative: back",
    registers,
  });
  new Gauge({
    name: "regent_leading",
    help: "1 while this process is sure to lead",
    registers,
    collect() {
      this.set(isLeading() ? 1 : 0);
    },
  });
  return {
    reportTaken: (agent) => reports.inc({ agent }),
    refused: (door, problem) => refusals.inc({ door, problem }),
    routed: (answer) => calls.inc({ answer }),
    looked: ({ services: count, ms }) => {
      looks.observe(ms / 1000);
      services.inc(count);
    },
    changeAccepted: ({ kind, times }, now) => accepted.observe({ kind }, Math.max(0, now - times.decided) / 1000),
    deadLetterKept: ({ kind, dropped }) => {
      deadLetters.inc({ kind });
      deadLettersDropped.inc(dropped);
    },
    clockJumped: ({ byMs }) => {
      clockJumps.inc();
      clockJump.set(byMs / 1000);
    },
    deadLettersLeft: (count) => deadLettersLeft.set(count),
    watchMode: (mode) => {
      new Gauge({
        name: "regent_mode",
        help: "1 for the mode that this process is in, 0 for the others",
        labelNames: ["mode"],
        registers,
        collect() {
          for (const each of Overview.shape.mode.options) this.set({ mode: each }, each === mode() ? 1 : 0);
        },
      });
    },
    text: () => registry.metrics(),
    registry,
  };
};
