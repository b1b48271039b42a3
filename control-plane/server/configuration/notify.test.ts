/** The part `notify`: what is refused, and what a change of it says. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { toDifference } from "./difference.ts";
import { SMALL_TEXT, testDeclaration, testErrors } from "./testing/example.ts";

const NOTIFY = `notify:
  notifiers:
    - { id: pager, kind: pagerduty, secret: { env: REGENT_SECRET_PAGER } }
    - { id: mail, kind: smtp, where: "smtp://mail.example.net:587", from: a@example.net, to: [b@example.net] }
    - { id: hook, kind: webhook, where: "https://hooks.example.net/x", secret: { file: hook }, services: [www] }
  routes:
    - { severities: [critical], notifiers: [pager, mail] }
`;
const LINES = SMALL_TEXT.trimEnd().split("\n").length;
const errorsOf = (from: string, to: string): string[] => testErrors(`${SMALL_TEXT.trimEnd()}\n${NOTIFY.replace(from, to)}`);

test("what docs/PAGING.md shows can be declared", () => {
  const page = readFileSync(new URL("../../../docs/PAGING.md", import.meta.url), "utf8");
  const shown = /```yaml\n(notify:[\s\S]*?)```/.exec(page)?.[1]?.replace("services: [shop]", "services: [www]") ?? "";
  const { declaration } = testDeclaration(`${SMALL_TEXT.trimEnd()}\n${shown}`);
  expect(declaration.notify?.notifiers.map(({ kind }) => kind)).toEqual(["pagerduty", "slack", "smtp", "webhook"]);
  expect(errorsOf("", "")).toEqual([]);
});

describe("is refused", () => {
  test.each([
    ["an unknown notifier in a route", "[pager, mail]", "[pagre]", 'unknown notifier "pagre"; did you mean "pager"?'],
    ["an unknown service", "[www]", "[wwww]", 'unknown service "wwww"; did you mean "www"?'],
    ["a notifier that is there twice", "id: mail", "id: pager", 'notifier "pager" is declared twice'],
    ["half a login", "to: [b@example.net]", "to: [b@example.net], user: me", "a mail server's login needs both"],
    ["a secret itself", "{ env: REGENT_SECRET_PAGER }", "R0123456789", "secret"],
    ["another variable of the process", "REGENT_SECRET_PAGER", "DATABASE_URL", "secret"],
    ["a file elsewhere", "{ file: hook }", "{ file: ../server.json }", "secret"],
    ["a URL with a password", "https://hooks", "https://me:pw@hooks", "where"],
    ["a receiver of the pager's key elsewhere", "kind: pagerduty,", 'kind: pagerduty, where: "https://evil.example/",', "where"],
    ["an address that ends a header", "b@example.net", '"b@example.net\\r\\nBcc: c@example.net"', "to"],
  ])("%s", (_, from, to, expected) => {
    const errors = errorsOf(from, to);
    expect(errors.join("\n")).toContain(expected);
    expect(Number(errors[0]?.split(" ")[0])).toBeGreaterThan(LINES);
  });
});

test("a change of it is a change, in words, and names no secret", () => {
  const { declaration: before } = testDeclaration(SMALL_TEXT);
  const { declaration: after } = testDeclaration(
    `${SMALL_TEXT.trimEnd()}\n${NOTIFY}escalateAfterSeconds`.replace("escalateAfterSeconds", "  escalateAfterSeconds: 600\n"),
  );
  expect(toDifference(before, after)).toEqual([
    "notifier pager: added (pagerduty)",
    "notifier mail: added (smtp)",
    "notifier hook: added (webhook)",
    "notify route: critical to pager, mail",
    expect.stringContaining("escalateAfterSeconds"),
  ]);
  expect(toDifference(after, before)).toContain("notifier pager: removed; what waits for it is dropped");
  expect(toDifference(after, after)).toEqual([]);
});
