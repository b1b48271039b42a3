import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Epoch, ServiceSpec } from "@regent/engine";
import { toEpochSet } from "@regent/engine/plan/epoch.ts";
import { renderFamilies } from "@regent/engine/plan/record-sets.ts";
import { createMemoryDns, type MemoryDns } from "@regent/server/adapters/memory/dns-provider.ts";
import { createIds } from "@regent/server/adapters/system/ids.ts";
import { parseDeclaration } from "@regent/server/configuration/parse-declaration.ts";
import { toServiceSpecs } from "@regent/server/configuration/to-specs.ts";
import { beforeEach, describe, expect, test } from "vitest";
import { createContext } from "../context.ts";
import { CommandFailure } from "../exit-codes.ts";
import { lookAt } from "./route53.ts";
import { type OfflineAsked, writeOffline } from "./write-offline.ts";

const TEXT = `regent: 1
owner: acme
zones: [{ id: Z1, name: example.com }]
regions: [{ id: eu }, { id: us }]
agents: []
services:
${["www", "api", "old"]
  .map(
    (id) => `  - id: ${id}
    name: ${id}.example.com
    zone: example.com
    strategy: { kind: active-passive }
    endpoints:
      - { region: eu, A: ["192.0.2.1"] }
      - { region: us, A: ["192.0.2.2"] }
    checks: [{ id: web, kind: http }]
`,
  )
  .join("")}`;

const specsOf = (): readonly ServiceSpec[] => {
  const parsed = parseDeclaration(TEXT, "regent.yaml");
  if (parsed.kind === "invalid") throw new Error(JSON.stringify(parsed.errors));
  return toServiceSpecs(parsed.declaration);
};
const SPECS = specsOf();
const WWW = SPECS[0] as ServiceSpec;

let dns: MemoryDns;
let clockMs: number;

const epochOf = (owner: string): Epoch => ({
  owner,
  term: 4,
  revision: 7,
  ulid: "01JD8ZK3M4N5P6Q7R8S9T0V1W2",
  mode: "auto",
  digest: "0123456789abcdef",
});
const standing = (spec: ServiceSpec, owner = "acme") => [
  toEpochSet(spec, epochOf(owner)),
  ...renderFamilies(spec, { default: { eu: 255, us: 0 } }),
];

beforeEach(() => {
  clockMs = 0;
  const sets = SPECS.flatMap((spec) => standing(spec, spec.id === "old" ? "globex" : "acme"));
  dns = createMemoryDns({ zones: [{ id: "Z1", name: "example.com", sets }], now: () => clockMs });
});

const ASKED: OfflineAsked = {
  wish: { kind: "failover", to: "us" },
  reason: "the night of the outage",
  isDryRun: false,
  isConfirmed: true,
  word: "www",
  record: undefined,
};

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What went to stderr while it ran. */
  readonly told: string;
  readonly asked: readonly string[];
}

const run = async (
  more: Partial<OfflineAsked> = {},
  {
    specs = [WWW],
    answer,
    meanwhile,
    afterSend,
    isJson = false,
  }: {
    specs?: readonly ServiceSpec[];
    answer?: string | null;
    meanwhile?: () => unknown;
    afterSend?: () => unknown;
    isJson?: boolean;
  } = {},
): Promise<Ran> => {
  let out = "";
  let told = "";
  const asked: string[] = [];
  const ask = async (question: string): Promise<string | null> => {
    asked.push(question);
    return answer ?? null;
  };
  const context = createContext(
    {
      env: { USER: "ada" },
      out: (text) => {
        out += text;
      },
      err: (text) => {
        told += text;
      },
      isInteractive: false,
      ...(answer === undefined ? {} : { ask }),
      columns: () => 120,
      rows: () => 40,
    },
    { json: isJson },
  );
  const looked = await lookAt(dns.provider, specs);
  if (looked.kind !== "seen") throw new Error(looked.why);
  await meanwhile?.();
  const sleep = async (ms: number): Promise<void> => {
    clockMs += ms;
  };
  const provider: typeof dns.provider = {
    ...dns.provider,
    send: async (...args) => {
      const result = await dns.provider.send(...args);
      await afterSend?.();
      return result;
    },
  };
  const deps = { provider, context, ids: createIds(), monotonic: () => clockMs, sleep, now: () => new Date(0) };
  try {
    await writeOffline(deps, { ...ASKED, ...more }, specs, looked.observed);
    return { code: 0, out, err: "", told, asked };
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return { code: error.exitCode, out, err: error.message, told, asked };
  }
};
const now = async (spec = WWW) => {
  const looked = await lookAt(dns.provider, [spec]);
  const seen = looked.kind === "seen" ? looked.observed.get(spec.id) : undefined;
  return {
    epoch: seen?.epoch,
    weights: Object.fromEntries((seen?.sets ?? []).map(({ setIdentifier, weight }) => [setIdentifier, weight])),
  };
};
const BEFORE = { epoch: epochOf("acme"), weights: { eu: 255, us: 0 } };

describe("a failover", () => {
  test("shows the exact batch, says that nothing is probed, and writes it", async () => {
    const { code, out } = await run();
    expect(code).toBe(0);
    expect(out).toContain("nothing is probed");
    expect(out).toContain("www: failover to us; revision 7 -> 8 of term 4, frozen in DNS from then on");
    expect(out).toContain("weights eu 255, us 0 -> eu 0, us 255");
    expect(out).toMatch(/ DELETE _regent\.www\.example\.com TXT 30 "regent1 o=acme t=4 r=7 p=01JD8ZK3M4N5P6Q7R8S9T0V1W2 m=auto/);
    expect(out).toMatch(/ CREATE _regent\.www\.example\.com TXT 30 "regent1 o=acme t=4 r=8 p=\w{26} m=frozen/);
    expect(out).toMatch(/✓ www: written, revision 8/);
    expect(await now()).toMatchObject({
      epoch: { owner: "acme", term: 4, revision: 8, mode: "frozen" },
      weights: { eu: 0, us: 255 },
    });
  });

  test("of a dry run sends nothing, and asks nobody", async () => {
    const { code, out, asked } = await run({ isDryRun: true, isConfirmed: false }, { answer: "www" });
    expect([code, asked, dns.sends()]).toEqual([0, [], 0]);
    expect(out).toMatch(/ CREATE www\.example\.com A 30 \[us\] weight 255 192\.0\.2\.2\n.*Dry run: nothing was sent\./s);
  });

  test.each([
    { what: "is typed", answer: "www", code: 0, sends: 1 },
    { what: "is typed wrong", answer: "yes", code: 1, sends: 0 },
    { what: "isn't typed", answer: null, code: 1, sends: 0 },
    { what: "can't be asked for", answer: undefined, code: 2, sends: 0 },
  ])("whose name $what ends with $code after $sends sends", async ({ answer, code, sends }) => {
    const ran = await run({ isConfirmed: false }, answer === undefined ? {} : { answer });
    expect([ran.code, dns.sends()]).toEqual([code, sends]);
  });

  test("that is asked for as JSON shows on stderr what it asks for, and stdout holds one value", async () => {
    const { code, out, told } = await run({ isConfirmed: false }, { isJson: true, answer: "www" });
    expect(code).toBe(0);
    expect(told).toMatch(
      /weights eu 255, us 0 -> eu 0, us 255\n.* CREATE www\.example\.com A 30 \[us\] weight 255 192\.0\.2\.2\n/s,
    );
    expect(JSON.parse(out)).toMatchObject([{ service: "www", outcome: "done" }]);
    expect((await run({ isDryRun: true, wish: { kind: "failover", to: "eu" } }, { isJson: true })).told).toBe("");
  });

  test("to a region with an attached health check warns of it before it asks, and a freeze or another region doesn't", async () => {
    const members = standing(WWW).slice(1);
    const creates = members.map((set) => (set.setIdentifier === "us" ? { ...set, healthCheckId: "hc-7" } : set));
    expect(dns.edit("Z1", { deletes: members, creates })).toBe("applied");
    const why =
      "www.example.com A us has the health check hc-7: while that fails, Route 53 may not answer this record and may answer a region of weight 0 instead. Its state isn't read here: look at it first.";
    const { out, asked } = await run({ isConfirmed: false }, { answer: "no" });
    expect([out.endsWith(`! ${why}\n`), asked.length, dns.sends()]).toEqual([true, 1, 0]);
    const asJson = await run({ isDryRun: true }, { isJson: true });
    expect(JSON.parse(asJson.out)).toMatchObject([{ warnings: [why] }]);
    expect((await run({ isDryRun: true, wish: { kind: "freeze" } })).out).not.toContain("hc-7: while");
    expect((await run()).code).toBe(0);
    expect((await run({ isDryRun: true, wish: { kind: "failover", to: "eu" } })).out).not.toContain("hc-7: while");
  });

  test("to where it serves alone, or of another owner's name, is refused with what stands there", async () => {
    expect(await run({ wish: { kind: "failover", to: "eu" } })).toMatchObject({
      code: 1,
      err: "www: refused: eu serves www.example.com alone already (revision 7, not frozen). To keep it there: regent offline freeze www.",
    });
    expect(await run({}, { specs: SPECS.filter(({ id }) => id === "old") })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^old: refused: The epoch record .* names owner globex, and this installation is acme\./),
    });
    expect(dns.sends()).toBe(0);
  });
});

describe("an answer of Route 53", () => {
  test("that refuses, as another operator was first, is told with who won by what DNS holds now", async () => {
    const won: number[] = [];
    const lost = await run({}, { meanwhile: async () => won.push((await run({ wish: { kind: "freeze" } })).code) });
    expect(won).toEqual([0]);
    expect(lost.code).toBe(1);
    expect(lost.err).toMatch(
      /^www: not written: somebody else wrote it first\. Now DNS holds revision 8 of term 4 \(acme, \w{26}\), frozen, with eu 255, us 0\.$/,
    );
  });

  test("that refuses, as a record was edited meanwhile, is told so", async () => {
    const [member] = standing(WWW).slice(1);
    if (!member) throw new Error("no member");
    const edit = (): void => void dns.edit("Z1", { deletes: [member], creates: [{ ...member, weight: 9 }] });
    expect(await run({}, { meanwhile: edit })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/the epoch record is as it was, and Route 53 says: .*with eu 9, us 0\.$/),
    });
  });

  test.each(["throttled", "busy"] as const)("%s is waited out", async (kind) => {
    dns.breakNextSend({ kind });
    dns.breakNextSend({ kind });
    expect((await run()).code).toBe(0);
    expect(dns.sends()).toBe(3);
  });

  test("that never takes a change ends as not written", async () => {
    for (let i = 0; i < 100; i++) dns.breakNextSend({ kind: "throttled" });
    expect(await run()).toMatchObject({ code: 1, err: "www: not written: Route 53 took no change in 30 s (throttled)." });
    expect(await now()).toEqual(BEFORE);
  });

  test("that denies is told", async () => {
    dns.breakNextSend({ kind: "denied" });
    expect(await run()).toMatchObject({ code: 1, err: expect.stringMatching(/^www: not written: Route 53 denies it/) });
  });

  test("that is lost after it was done is settled by reading", async () => {
    dns.breakNextSend({ kind: "unknown-after" });
    expect((await run()).out).toMatch(/written, revision 8 \(\w{26}\): its epoch record stands in DNS/);
    expect(dns.sends()).toBe(1);
  });

  test("that comes late is waited for", async () => {
    dns.breakNextSend({ kind: "late", delayMs: 5_000 });
    expect((await run()).code).toBe(0);
    expect(await now()).toMatchObject({ weights: { us: 255 } });
  });

  test("that is lost with nothing done is unknown, and asking again is safe", async () => {
    dns.breakNextSend({ kind: "unknown-before" });
    expect(await run()).toMatchObject({
      code: 5,
      err: expect.stringMatching(
        /^www: it isn't known whether it was written: .*DNS is as it was before, and the request may still arrive for 6 minutes/,
      ),
    });
    expect((await run()).code).toBe(0);
  });

  test("that is lost while DNS can't be read either is unknown", async () => {
    dns.breakNextSend({ kind: "unknown-after" });
    expect(
      await run({}, { meanwhile: () => Array.from({ length: 50 }, () => dns.breakNextRead({ kind: "failed" })) }),
    ).toMatchObject({ code: 5, err: expect.stringMatching(/DNS can't be read, and the request may still arrive/) });
  });
});

describe("a freeze of all", () => {
  test("leaves out what isn't ours and goes on with the rest; again, it has nothing to do", async () => {
    const freeze = { wish: { kind: "freeze" }, word: "all" } as const;
    const first = await run(freeze, { specs: SPECS });
    expect(first).toMatchObject({ code: 1, err: expect.stringMatching(/^old: refused: .*[^\n]$/) });
    for (const spec of SPECS.slice(0, 2))
      expect(await now(spec)).toMatchObject({ epoch: { revision: 8, mode: "frozen" }, weights: { eu: 255, us: 0 } });
    expect(await now(SPECS[2])).toMatchObject({ epoch: { owner: "globex", revision: 7, mode: "auto" } });
    const again = await run(freeze, { specs: SPECS.slice(0, 2) });
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining("www is frozen in DNS already (revision 8).") });
    expect(dns.sends()).toBe(2);
  });
});

describe("--record", () => {
  test("keeps the intent before the send, and what became of it; a file that can't be written stops it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "offline-"));
    try {
      const record = join(folder, "night.jsonl");
      await run({ record });
      const lines = (await readFile(record, "utf8"))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(lines).toMatchObject([
        { what: "intent", by: "ada", reason: ASKED.reason, service: "www", wish: ASKED.wish, epoch: { revision: 8 } },
        { what: "done", service: "www" },
      ]);
      expect(lines[0].batch).toHaveLength(6);
      const sends = dns.sends();
      const refused = await run({ record: join(folder, "none", "night.jsonl"), wish: { kind: "failover", to: "eu" } });
      expect([refused.code, dns.sends()]).toEqual([2, sends]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test.each([false, true])(
    "that fails midway says what was sent and what wasn't, and ends with 1 (as JSON: %s)",
    async (isJson) => {
      const folder = await mkdtemp(join(tmpdir(), "offline-"));
      const record = join(folder, "night.jsonl");
      const freeze = { wish: { kind: "freeze" }, word: "all", record } as const;
      const afterSend = () => rm(folder, { recursive: true, force: true });
      const ran = await run(freeze, { specs: SPECS.slice(0, 2), afterSend, isJson });
      expect(ran).toMatchObject({
        code: 1,
        err: `api: not sent: ${record} can't be written (ENOENT).`,
        told: `${record} can't be written (ENOENT): what became of www is missing there.\n`,
      });
      expect([(await now()).epoch?.mode, (await now(SPECS[1])).epoch?.mode, dns.sends()]).toEqual(["frozen", "auto", 1]);
      if (isJson)
        expect(JSON.parse(ran.out)).toMatchObject([
          { service: "www", outcome: "done" },
          { service: "api", outcome: "not-sent", why: `${record} can't be written (ENOENT)` },
        ]);
      else expect(ran.out).toContain("✓ www: written, revision 8");
    },
  );
});
