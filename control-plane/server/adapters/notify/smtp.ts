/**
 * Plain text mail. TLS is required and verified, except on loopback. All headers are made of what the schema checked or of one line without
 * control characters; an incident is one thread, and a try that comes again has the same Message-ID. A message is taken when every recipient has
 * it: one who is refused for ever would else hear of nothing, and nobody would know.
 */
import { isIP } from "node:net";
import type { GuardRules, SmtpNotifier } from "@regent/contract";
import { createTransport } from "nodemailer";
import type { Notice, SendResult } from "../../ports/notifier.ts";
import { SEND_MS_MAX, SUBJECT_MAX } from "./limits.ts";
import type { ReadSecret } from "./secrets.ts";
import { findTarget, type LookUp, type Target } from "./target.ts";
import { toSubject, toText } from "./words.ts";

export interface SmtpDeps {
  readonly rules: GuardRules;
  readonly readSecret: ReadSecret;
  readonly lookUp?: LookUp;
  readonly reached: Reached;
}

/** Who has the message that is being tried: those don't get it again. Messages come one at a time, so one is enough. */
export interface Reached {
  notice: string;
  by: ReadonlySet<string>;
}

export const sendMail = async (
  deps: SmtpDeps,
  declared: SmtpNotifier,
  notice: Notice,
  signal: AbortSignal,
): Promise<SendResult> => {
  const { protocol, host, port } = parseServer(declared.where);
  const target = await findTarget(host, deps.rules, deps.lookUp);
  const password = declared.secret === undefined ? null : await deps.readSecret(declared.secret);
  signal.throwIfAborted();
  const auth = declared.user !== undefined && password !== null ? { auth: { user: declared.user, pass: password } } : {};
  const transport = createTransport({ ...toOptions(target, { port, isTls: protocol === "smtps" }), ...auth });
  const give = (): void => transport.close();
  signal.addEventListener("abort", give, { once: true });
  try {
    const { reached } = deps;
    const known = reached.notice === notice.id ? reached.by : new Set<string>();
    const left = declared.to.filter((address) => !known.has(address));
    const { rejected, rejectedErrors = [] } = await transport.sendMail({
      ...toMail(declared, notice),
      envelope: { from: declared.from, to: left.length > 0 ? left : [...declared.to] },
    });
    reached.notice = notice.id;
    reached.by = new Set([...known, ...left.filter((address) => !rejected.includes(address))]);
    return rejected.length === 0 ? { kind: "taken" } : toPartFailure(rejectedErrors, declared.to.length);
  } catch (error) {
    return toMailFailure(error);
  } finally {
    signal.removeEventListener("abort", give);
    transport.close();
  }
};

export const toOptions = (target: Target, { port, isTls }: { readonly port: number; readonly isTls: boolean }) => ({
  host: target.ip,
  port,
  secure: isTls,
  // Without it a server, or who stands before it, could talk us out of TLS.
  requireTLS: !target.isLoopback,
  tls: { ...(isIP(target.host) > 0 ? {} : { servername: target.host }), rejectUnauthorized: true },
  connectionTimeout: SEND_MS_MAX,
  greetingTimeout: SEND_MS_MAX,
  socketTimeout: SEND_MS_MAX,
  disableFileAccess: true,
  disableUrlAccess: true,
});

const toMail = ({ from, to }: SmtpNotifier, notice: Notice) => {
  const domain = from.slice(from.lastIndexOf("@") + 1);
  const thread = `<incident-${notice.incident.id}@${domain}>`;
  return {
    from: { name: "Regent", address: from },
    to: to.map((address) => ({ name: "", address })),
    subject: toSubject(notice, SUBJECT_MAX),
    text: `${toText(notice).join("\n\n")}\n`,
    messageId: `<${notice.id}@${domain}>`,
    inReplyTo: thread,
    references: [thread],
    date: new Date(notice.at),
    headers: { "Auto-Submitted": "auto-generated" },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
};

const parseServer = (where: string): { protocol: "smtp" | "smtps"; host: string; port: number } => {
  const [, protocol = "smtp", host = "", port = "0"] = /^(smtps?):\/\/(.+):(\d+)$/.exec(where) ?? [];
  return { protocol: protocol as "smtp" | "smtps", host, port: Number(port) };
};

/** Some have it and some don't: who may get it later is tried first. */
const toPartFailure = (errors: readonly unknown[], of: number): SendResult => {
  const codes = errors.map((error) => Number((error as { responseCode?: unknown }).responseCode));
  const isForEver = codes.length > 0 && codes.every((code) => code >= 500);
  const why = `the mail server took it for ${of - codes.length} of ${of} recipients and answered ${codes.join(", ")} to the others`;
  return { kind: isForEver ? "refused" : "later", why };
};

/** 5xx to a recipient or to the message is for ever. To a login it isn't: a person corrects the password. The server's words may quote ours. */
const toMailFailure = (error: unknown): SendResult => {
  const { responseCode, code } = (error ?? {}) as { responseCode?: unknown; code?: unknown };
  const told = typeof code === "string" ? code.replace(/[^\w-]/g, "").slice(0, 40) : "Error";
  if ((code === "EENVELOPE" || code === "EMESSAGE") && typeof responseCode === "number" && responseCode >= 500)
    return { kind: "refused", why: `the mail server answered ${responseCode} (${told})` };
  return {
    kind: "later",
    why: typeof responseCode === "number" ? `the mail server answered ${responseCode} (${told})` : `mail was not taken (${told})`,
  };
};
