/** `regent transfer` against a server that answers as Regent does: what is asked of it, and what a person reads. */
import type { RoleAnswer, TransferState } from "@regent/contract";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type AnsweringServer, startAnsweringServer } from "../testing/answering-server.ts";
import { AT } from "../testing/examples.ts";
import { runTyped } from "../testing/typed.ts";

const TRANSFER: TransferState = {
  id: "01JD8Z0000000000000000000A",
  service: "ledger",
  from: "eu-west",
  to: "us-east",
  phase: "prepare",
  startedAt: AT,
  phaseAt: AT,
  by: { kind: "operator", name: "ann" },
  reason: "new disks",
  hook: { isDeclared: true, attempts: 2, lastAt: AT + 3_000, answer: "working", fenced: true, why: "pg_promote runs" },
  why: "the hook is at work: pg_promote runs",
};
const ROLE: RoleAnswer = { service: "ledger", writer: null, revision: 7, validForMs: 0, why: "the role is on its way" };

let server: AnsweringServer;
let heard: { readonly method: string; readonly path: string; readonly key: unknown; readonly body: string }[] = [];
let transfers: TransferState[] = [];

beforeAll(async () => {
  server = await startAnsweringServer(({ what, method, path, key, text }) => {
    heard.push({ method, path, key, body: text });
    const answers: Record<string, unknown> = {
      "GET /v1/transfers": { transfers },
      "GET /v1/services/ledger/role": ROLE,
      "POST /v1/services/ledger/transfer/stop": { ...TRANSFER, phase: "stopped", why: "ann ended it: not now" },
    };
    const answer = answers[what];
    const problem = { type: "https://regent.invalid/problems/not-found", title: "Not found", status: 404, detail: path };
    return answer ? { status: 200, body: answer } : { status: 404, body: problem };
  });
});
afterAll(() => server.close());
beforeEach(() => {
  heard = [];
  transfers = [TRANSFER];
});

const regent = (...args: string[]) => runTyped(args, { REGENT_HOME: "/nonexistent", REGENT_URL: server.url, REGENT_TOKEN: "t" });

test("list shows where each role goes, and says so when none ever went anywhere", async () => {
  const { code, out } = await regent("transfer", "list");
  expect(code).toBe(0);
  expect(out).toContain("ledger  eu-west -> us-east  prepare");
  expect(out).toContain("the hook is at work: pg_promote runs");
  expect(JSON.parse((await regent("transfer", "list", "--json")).out)).toEqual({ transfers: [TRANSFER] });
  transfers = [];
  expect((await regent("transfer", "list")).out).toBe("No writable role was led anywhere.\n");
});

test("show says what the hook said and who may write", async () => {
  const { code, out } = await regent("transfer", "show", "ledger");
  expect(code).toBe(0);
  expect(out).toContain("begun by ann: new disks");
  expect(out).toMatch(/hook: asked 2 times, last .+; answered working, eu-west is fenced: pg_promote runs/);
  expect(out).toContain("may write: nobody; the role is on its way");
  expect(JSON.parse((await regent("transfer", "show", "ledger", "--json")).out)).toEqual({ transfer: TRANSFER, role: ROLE });
});

test("show of a service whose role was never led anywhere is not found", async () => {
  expect(await regent("transfer", "show", "mail")).toMatchObject({ code: 4, out: "", err: "There was no transfer of mail.\n" });
});

test("stop takes a service and a reason, and guesses neither", async () => {
  expect((await regent("transfer", "stop", "ledger")).code).toBe(2);
  expect((await regent("transfer", "stop", "--reason", "not now")).code).toBe(2);
  expect(heard).toEqual([]);
  const { code, out } = await regent("transfer", "stop", "ledger", "--reason", "not now", "--idempotency-key", "once-and-only");
  expect(code).toBe(0);
  expect(out).toContain("stopped");
  expect(out).toContain("ann ended it: not now");
  expect(heard.map(({ method, path, key, body }) => [method, path, key, JSON.parse(body)])).toEqual([
    ["POST", "/v1/services/ledger/transfer/stop", "once-and-only", { reason: "not now" }],
  ]);
});
