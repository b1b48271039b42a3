/** alert list|rules|set|drop|test: what of Regent's own metrics people are told of. */
import type { AlertRuleRequest, AlertRuleView, AlertSetting } from "@regent/contract";
import { toPrometheusRules } from "@regent/server/operations/alerting/to-prometheus.ts";
import type { Command } from "commander";
import { type CommonOptions, type Context, createContext, need, type Terminal, withCommon } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { toAlertLines, toRuleDetail, toRuleLines, toTrialLines } from "../format/alerts.ts";

interface SetOptions extends CommonOptions {
  readonly metric?: string;
  readonly label: readonly string[];
  readonly when?: string;
  readonly absent?: boolean;
  readonly window?: string;
  readonly quantile?: string;
  readonly for?: string;
  readonly severity?: string;
  readonly notifier: readonly string[];
  readonly title?: string;
  readonly off?: boolean;
  readonly on?: boolean;
  readonly reason: string;
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export const addAlertCommands = (program: Command, terminal: Terminal): void => {
  const alert = program.command("alert").description("rules on Regent's own metrics, and what they find");

  withCommon(alert.command("list"))
    .description("what fires, then what is pending")
    .action(async (options: CommonOptions) => {
      const context = createContext(terminal, options);
      const alerts = need(await (await context.connect()).alerts(), context.paint);
      context.print(alerts, () => toAlertLines(alerts, context.paint));
    });

  withCommon(alert.command("rules"))
    .description("all rules: shipped, declared and by API")
    .option("--prometheus", "as a rules file of Prometheus")
    .action(async ({ prometheus, ...options }: CommonOptions & { prometheus?: boolean }) => {
      const context = createContext(terminal, options);
      const list = need(await (await context.connect()).alertRules(), context.paint);
      // Exactly the file, whose last line has its end already.
      if (prometheus && !context.isJson) terminal.out(toPrometheusRules(list.rules));
      else context.print(list, () => toRuleLines(list, context.paint));
    });

  withCommon(alert.command("set"))
    .description("set a rule, or what of a shipped one is to differ; what isn't said stays as it was set")
    .argument("<id>")
    .option("--metric <name>", "one that /metrics exports")
    .option("--label <name=value>", "only series that have it; may be repeated", collect, [])
    .option("--when <condition>", 'such as "> 10"')
    .option("--absent", "fire when there is no such series")
    .option("--window <seconds>", "of a counter or histogram: within which time")
    .option("--quantile <part>", "of a histogram, such as 0.95")
    .option("--for <seconds>", "how long it must hold without a break")
    .option("--severity <severity>", "critical, warning or info")
    .option("--notifier <id>", "tell this one instead of whom routes name; may be repeated", collect, [])
    .option("--title <text>", "what a page says")
    .option("--off", "don't evaluate it")
    .option("--on", "evaluate it again")
    .requiredOption("--reason <text>", "why; it is kept in history")
    .action(async (id: string, options: SetOptions) => {
      const context = createContext(terminal, options);
      const given = toFields(options);
      const { client, rule } = await find(context, id);
      const { id: _, ...kept } = rule?.setting ?? { id };
      const request = { ...kept, ...given, expectedVersion: rule?.version ?? 0, reason: options.reason };
      const answer = need(await client.setAlertRule(id, request), context.paint);
      context.print(answer, () => toRuleDetail(answer.rule, id, context.paint));
    });

  withCommon(alert.command("drop"))
    .description("drop what was set by API: a shipped rule is as shipped again")
    .argument("<id>")
    .requiredOption("--reason <text>", "why; it is kept in history")
    .action(async (id: string, { reason, ...options }: CommonOptions & { reason: string }) => {
      const context = createContext(terminal, options);
      const { client, rule } = await find(context, id);
      if (!rule || rule.version === 0) throw new CommandFailure(EXIT.notFound, `Nothing of ${id} was set by API.`);
      const answer = need(await client.dropAlertRule(id, { expectedVersion: rule.version, reason }), context.paint);
      context.print(answer, () => toRuleDetail(answer.rule, id, context.paint));
    });

  withCommon(alert.command("test"))
    .description("what one rule sees now, and whether that would fire")
    .argument("<id>")
    .action(async (id: string, options: CommonOptions) => {
      const context = createContext(terminal, options);
      const trial = need(await (await context.connect()).tryAlertRule(id), context.paint);
      context.print(trial, () => toTrialLines(trial, context.paint));
    });
};

const find = async (context: Context, id: string) => {
  const client = await context.connect();
  const { rules } = need(await client.alertRules(), context.paint);
  const rule: AlertRuleView | undefined = rules.find((each) => each.id === id);
  return { client, rule };
};

type Fields = Omit<AlertRuleRequest, "expectedVersion" | "reason">;

const CONDITION = /^(?<op>>=|<=|==|!=|>|<)\s*(?<value>-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)$/i;

const toFields = (options: SetOptions): Fields => {
  const { metric, label, when, absent, window, quantile, severity, notifier, title, off, on } = options;
  if (off && on) throw new CommandFailure(EXIT.usage, "A rule is either --off or --on.");
  return {
    ...(metric === undefined ? {} : { metric }),
    ...(label.length === 0 ? {} : { labels: Object.fromEntries(label.map(toLabel)) }),
    ...(when === undefined ? {} : { condition: toCondition(when) }),
    ...(absent ? { absent: true } : {}),
    ...(window === undefined ? {} : { window: toNumber("--window", window) }),
    ...(quantile === undefined ? {} : { quantile: toNumber("--quantile", quantile) }),
    ...(options.for === undefined ? {} : { for: toNumber("--for", options.for) }),
    // The server says which words it takes.
    ...(severity === undefined ? {} : { severity: severity as NonNullable<AlertSetting["severity"]> }),
    ...(notifier.length === 0 ? {} : { notifiers: [...notifier] }),
    ...(title === undefined ? {} : { title }),
    ...(off ? { isOn: false } : {}),
    ...(on ? { isOn: true } : {}),
  };
};

const toLabel = (text: string): readonly [string, string] => {
  const at = text.indexOf("=");
  if (at <= 0) throw new CommandFailure(EXIT.usage, `--label wants name=value, not ${text}.`);
  return [text.slice(0, at), text.slice(at + 1)];
};

const toCondition = (text: string): NonNullable<AlertSetting["condition"]> => {
  const { op, value } = CONDITION.exec(text.trim())?.groups ?? {};
  if (op === undefined) throw new CommandFailure(EXIT.usage, `--when wants a comparison such as "> 10", not ${text}.`);
  return { op: op as NonNullable<AlertSetting["condition"]>["op"], value: Number(value) };
};

const toNumber = (name: string, text: string): number => {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new CommandFailure(EXIT.usage, `${name} wants a number, not ${text}.`);
  return value;
};
