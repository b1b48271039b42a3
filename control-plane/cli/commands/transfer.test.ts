/** `regent transfer` against a server that answers as Regent does: what is asked of it, and what a person reads. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { RoleAnswer, TransferState } from "@regent/contract";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { runCommand } from "../program.ts";
import { AT } from "../testing/examples.ts";

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

let server: Server;
let heard: { readonly method: string; readonly path: string; readonly key: unknown; readonly body: string }[] = [];
let transfers: TransferState[] = [];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { method = "", url = "" } = request;
    heard.push({ method, path: url, key: request.headers["idempotency-key"], body });
    const answers: Record<string, unknown> = {
      "GET /v1/transfers": { transfers },
      "GET /v1/services/ledger/role": ROLE,
      "POST /v1/services/ledger/transfer/stop": { ...TRANSFER, phase: "stopped", why: "ann ended it: not now" },
    };
    const answer = answers[`${method} ${url}`];
    const problem = { type: "https://regent.invalid/problems/not-found", title: "Not found", status: 404, detail: url };
    response.writeHead(answer ? 200 : 404, { "content-type": answer ? "application/json" : "application/problem+json" });
    response.end(JSON.stringify(answer ?? problem));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  heard = [];
  transfers = [TRANSFER];
});

const regent = async (...args: string[]) => {
  let out = "";
  let err = "";
  const code = await runCommand(args, {
    env: {
      REGENT_HOME: "/nonexistent",
      REGENT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      REGENT_TOKEN: "t",
    },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    isInteractive: false,
    columns: () => 120,
    rows: () => 40,
  });
  return { code, out, err };
};

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
