/**
 * What every DnsProvider promises, as laws that run unchanged against the memory twin and the sandbox. Each test works below a label
 * of its own, so that they need no fresh zone and can't disturb each other.
 */
import type { RecordSet } from "@regent/engine";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DnsProvider, ReadResult } from "../dns-provider.ts";

/** `lost-before`, `lost-after`: no answer, the batch not applied or applied. `late`: no answer, applied some time later. */
export type BrokenSend = "throttled" | "busy" | "lost-before" | "lost-after" | "late";

/** One zone and one provider, and what a test may do to the world behind them. */
export interface DnsProviderWorld {
  readonly provider: DnsProvider;
  readonly zoneId: string;
  /** Without final dot. */
  readonly zoneName: string;
  /** A health check that exists. */
  readonly healthCheckId: string;
  readonly breakNextSend: (fault: BrokenSend) => void;
  /** Brings the next poll nearer: moves a test clock or really waits a little. */
  readonly letTimePass: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Longer than any propagation of the worlds, on a busy machine. */
const SETTLE_MS = 30_000;

export const dnsProviderSuite = (title: string, start: () => Promise<DnsProviderWorld>): void => {
  describe(title, () => {
    let world: DnsProviderWorld;
    const run = `t${Date.now().toString(36)}`;
    let labels = 0;
    /** `part`.`label of this test`.`zone`. */
    const freshNames = () => {
      const base = `n${++labels}.${run}.${world.zoneName}`;
      return (part?: string) => (part === undefined ? base : `${part}.${base}`);
    };
    beforeAll(async () => {
      world = await start();
    });
    afterAll(() => world.close());

    const read = async (...names: string[]) => setsIn(await world.provider.readNames(world.zoneId, names));
    const send = (deletes: readonly RecordSet[], creates: readonly RecordSet[]) =>
      world.provider.send(world.zoneId, { deletes, creates, comment: "port suite" });
    const sendAccepted = async (deletes: readonly RecordSet[], creates: readonly RecordSet[]) => {
      const result = await send(deletes, creates);
      if (result.kind !== "accepted") expect.fail(`not accepted: ${JSON.stringify(result)}`);
      return result.changeInfoId;
    };

    describe("reading", () => {
      test("a name that isn't there has no record sets", async () => {
        expect(await read(freshNames()())).toEqual([]);
      });

      test("a name is read in full, and its neighbours are not", async () => {
        const name = freshNames();
        const wanted = [...family(name("www"), { a: 10, b: 0 }), epochSet(name("_regent.www"), "one")];
        const neighbours = [simple(name("0.www")), simple(name("wwwx")), simple(name("_regent.wwwx")), simple(name("ww"))];
        await sendAccepted([], [...wanted, ...neighbours]);
        expectSame(await read(name("www"), name("_regent.www")), wanted);
        expectSame(await read(name("_regent.www")), wanted.slice(2));
      });

      test("names far apart are read together, each once", async () => {
        const name = freshNames();
        const wanted = ["a", "m", "z", "b.z", "*", "*.a"].map((part) => simple(name(part)));
        await sendAccepted([], [...wanted, ...["c", "y", "c.z"].map((part) => simple(name(part)))]);
        const names = [...wanted.map((set) => set.name), name("absent"), name("z")];
        expectSame(await read(...names), wanted);
      });

      test("a zone and a name of more than one page are read in full", async () => {
        const name = freshNames();
        const types = { A: "192.0.2.1", AAAA: "2001:db8::1", TXT: '"x"', MX: "10 mail.example.com" };
        const crowd = Object.entries(types).flatMap(([type, value]) =>
          Array.from({ length: 90 }, (_, index) => member(name("crowd"), { type, id: `m${index}`, weight: 1, values: [value] })),
        );
        await sendAccepted([], crowd);
        await sendAccepted([], [simple(name("after")), epochSet(name("_regent.crowd"), "one")]);
        expectSame(await read(name("crowd")), crowd);
        const zone = setsIn(await world.provider.readZone(world.zoneId)).filter((set) => set.name.endsWith(name()));
        expect(zone).toHaveLength(crowd.length + 2);
        expectSame(await read(name("after"), name("crowd"), name("_regent.crowd")), zone);
      });

      test("a zone that isn't there is denied, for reads and for sends", async () => {
        const nowhere = "Z0NOSUCHZONE00";
        expect((await world.provider.readNames(nowhere, ["a.example.com"])).kind).toBe("denied");
        expect((await world.provider.readZone(nowhere)).kind).toBe("denied");
        const batch = { deletes: [], creates: [simple("a.example.com")], comment: "port suite" };
        expect((await world.provider.send(nowhere, batch)).kind).toBe("denied");
      });
    });

    describe("the fence", () => {
      test("of two batches that expect the same epoch record the second is refused and changes nothing", async () => {
        const name = freshNames();
        const before = [epochSet(name("_regent"), "one"), ...family(name(), { a: 255, b: 0 })];
        const ours = [epochSet(name("_regent"), "two"), ...family(name(), { a: 0, b: 255 })];
        const theirs = [epochSet(name("_regent"), "three"), ...family(name(), { a: 128, b: 128 })];
        await sendAccepted([], before);
        await sendAccepted(before, ours);
        expect((await send(before, theirs)).kind).toBe("refused");
        expectSame(await read(name(), name("_regent")), ours);
      });

      test("a batch that nobody wants any more when it would leave is not sent; one that is wanted is asked about once", async () => {
        const name = freshNames();
        const batch = { deletes: [], creates: [simple(name("late"))], comment: "port suite" };
        expect((await world.provider.send(world.zoneId, { ...batch, mayLeave: () => false })).kind).toBe("not-sent");
        expectSame(await read(name("late")), []);
        let asked = 0;
        const sent = await world.provider.send(world.zoneId, { ...batch, mayLeave: () => ++asked > 0 });
        expect([sent.kind, asked]).toEqual(["accepted", 1]);
      });

      test("a member that somebody edited makes the whole batch refused, with a message for each member", async () => {
        const name = freshNames();
        const before = [epochSet(name("_regent"), "one"), ...family(name(), { a: 10, b: 20, c: 30 })];
        await sendAccepted([], before);
        const imagined = before.map((set) => (set.weight === undefined ? set : { ...set, weight: set.weight + 1 }));
        const result = await send(imagined, [epochSet(name("_regent"), "two")]);
        expect(result).toMatchObject({ kind: "refused" });
        expect(result.kind === "refused" && result.messages.length).toBe(3);
        expectSame(await read(name(), name("_regent")), before);
      });

      test("a DELETE is refused when TTL, value, weight, identifier or health check differ, or when it names too little", async () => {
        const name = freshNames();
        const [set] = family(name(), { a: 7 });
        await sendAccepted([], [set!]);
        const { weight: _, setIdentifier: __, ...bare } = set!;
        const wrong = [
          { ...set!, ttl: 31 },
          { ...set!, values: ["192.0.2.99"] },
          { ...set!, weight: 0 },
          { ...set!, setIdentifier: "b" },
          bare,
        ];
        for (const other of wrong) expect((await send([other], [])).kind, JSON.stringify(other)).toBe("refused");
        await sendAccepted([set!], []);
      });

      test("what exists can't be created again, and one bad change spoils its good neighbours", async () => {
        const name = freshNames();
        await sendAccepted([], [simple(name("a"))]);
        expect((await send([], [simple(name("b")), simple(name("a"))])).kind).toBe("refused");
        expect(await read(name("b"))).toEqual([]);
      });

      test("weighted and simple record sets don't mix at one name and type", async () => {
        const name = freshNames();
        await sendAccepted([], [simple(name())]);
        expect((await send([], family(name(), { a: 1 }))).kind).toBe("refused");
        await sendAccepted([simple(name())], family(name(), { a: 1 }));
      });

      test("a weighted group has one TTL, the one written last", async () => {
        const name = freshNames();
        await sendAccepted([], family(name(), { a: 1 }));
        const late = { ...family(name(), { b: 1 })[0]!, ttl: 60 };
        await sendAccepted([], [late]);
        expect((await read(name())).map(({ ttl }) => ttl)).toEqual([60, 60]);
      });
    });

    describe("what a record set holds", () => {
      const survives = async (sets: readonly RecordSet[]) => {
        await sendAccepted([], sets);
        const names = [...new Set(sets.map((set) => set.name))];
        const listed = await read(...names);
        expectSame(listed, sets);
        await sendAccepted(listed, []);
        expect(await read(...names)).toEqual([]);
      };

      test("weights 0 and 255, several values and both address types come back as written, and delete as read", async () => {
        const name = freshNames();
        const v6 = ["2001:db8::1", "2001:db8::2"];
        await survives([...family(name(), { a: 0, b: 255 }), member(name(), { type: "AAAA", id: "a", weight: 0, values: v6 })]);
      });

      test("TXT values keep quotes, escapes, spaces and markup", async () => {
        const values = ['"a  b" "c;d"', '"say \\"hi\\" & <go>"', '"  edge  "', '"&amp; \\101 \'"', '"00123"'];
        await survives([{ name: freshNames()(), type: "TXT", ttl: 30, values }]);
      });

      test("attributes of other routing policies are kept, and a DELETE without them is refused", async () => {
        const name = freshNames();
        const others = {
          latency: { Region: "eu-west-1" },
          country: { GeoLocation: { CountryCode: "DE" } },
          default: { GeoLocation: { CountryCode: "*" } },
          primary: { Failover: "PRIMARY" },
          multivalue: { MultiValueAnswer: true },
        };
        const sets = Object.entries(others).map(([id, other]): RecordSet => ({ ...simple(name(id)), setIdentifier: id, other }));
        await sendAccepted([], sets);
        const listed = await read(...sets.map((set) => set.name));
        expectSame(listed, sets);
        for (const { other: _, ...less } of listed) expect((await send([less], [])).kind).toBe("refused");
        await sendAccepted(listed, []);
      });

      test("alias members have no TTL, and their target and health flag come back", async () => {
        const name = freshNames();
        await sendAccepted([], [simple(name("target"))]);
        const alias = { hostedZoneId: world.zoneId, name: name("target"), evaluateTargetHealth: true };
        await survives([
          { name: name("www"), type: "A", setIdentifier: "a", weight: 3, alias },
          { name: name("www"), type: "A", setIdentifier: "b", weight: 0, alias: { ...alias, evaluateTargetHealth: false } },
        ]);
      });

      test("CNAME families, wildcards and names that need escapes come back as written", async () => {
        const name = freshNames();
        const cnames = ["a", "b"].map((id) => member(name("c"), { type: "CNAME", id, weight: 1, values: [`${id}.example.com`] }));
        await survives([
          ...cnames,
          ...family(name("*.w"), { a: 1, b: 2 }),
          simple(name("*")),
          simple(name("od!d")),
          epochSet(name("_regent-wildcard.w"), "x"),
        ]);
      });

      test("a health check's id comes back, and a DELETE without it is refused", async () => {
        const set = { ...family(freshNames()(), { a: 1 })[0]!, healthCheckId: world.healthCheckId };
        const { healthCheckId: _, ...without } = set;
        await sendAccepted([], [set]);
        expectSame(await read(set.name), [set]);
        expect((await send([without], [])).kind).toBe("refused");
        await sendAccepted([set], []);
      });
    });

    describe("when an answer is lost", () => {
      const startAt = async () => {
        const name = freshNames();
        const before = [epochSet(name("_regent"), "one"), ...family(name(), { a: 255, b: 0 })];
        const after = [epochSet(name("_regent"), "two"), ...family(name(), { a: 0, b: 255 })];
        await sendAccepted([], before);
        return { name, before, after, epochNow: async () => (await read(name("_regent")))[0]?.values?.[0] };
      };

      test.for(["throttled", "busy"] as const)(
        "%s means certainly not applied: the same batch goes through afterwards",
        async (fault) => {
          const { name, before, after } = await startAt();
          world.breakNextSend(fault);
          expect(await send(before, after)).toEqual({ kind: fault });
          expectSame(await read(name(), name("_regent")), before);
          await sendAccepted(before, after);
        },
      );

      test("a batch lost after it was applied is unknown, its copy is refused, and the epoch record shows that it is ours", async () => {
        const { name, before, after, epochNow } = await startAt();
        world.breakNextSend("lost-after");
        expect((await send(before, after)).kind).toBe("unknown");
        expect((await send(before, after)).kind).toBe("refused");
        expect(await epochNow()).toContain("p=two");
        expectSame(await read(name(), name("_regent")), after);
      });

      test("a batch lost before it arrived is unknown, changes nothing, and its copy is accepted", async () => {
        const { before, after, epochNow } = await startAt();
        world.breakNextSend("lost-before");
        expect((await send(before, after)).kind).toBe("unknown");
        expect(await epochNow()).toContain("p=one");
        await sendAccepted(before, after);
      });

      test("a batch that is applied late shows up later", async () => {
        const { before, after, epochNow } = await startAt();
        world.breakNextSend("late");
        expect((await send(before, after)).kind).toBe("unknown");
        expect(await epochNow()).toContain("p=one");
        await until(world, async () => (await epochNow())?.includes("p=two") === true);
      });

      test("a late batch that was overtaken never shows up", async () => {
        const { name, before, after } = await startAt();
        const bystander = await startAt();
        world.breakNextSend("late");
        expect((await send(before, after)).kind).toBe("unknown");
        const overtaking = [epochSet(name("_regent"), "three"), ...family(name(), { a: 100, b: 100 })];
        await sendAccepted(before, overtaking);
        // A second late batch, sent after the first, tells when the first must have arrived.
        world.breakNextSend("late");
        await send(bystander.before, bystander.after);
        await until(world, async () => (await bystander.epochNow())?.includes("p=two") === true);
        expectSame(await read(name(), name("_regent")), overtaking);
      });
    });

    describe("afterwards", () => {
      test(
        "a change is readable at once, pending first and in sync in the end",
        async () => {
          const name = freshNames();
          const id = await sendAccepted([], [simple(name())]);
          expect(await world.provider.readChange(id)).toEqual({ kind: "pending" });
          expectSame(await read(name()), [simple(name())]);
          await until(world, async () => (await world.provider.readChange(id)).kind === "in-sync");
        },
        SETTLE_MS,
      );

      test("a change that nobody knows is missing", async () => {
        expect(await world.provider.readChange("C0NOSUCHCHANGE")).toEqual({ kind: "missing" });
      });

      test("health that can't be known is null", async () => {
        const id = "00000000-0000-0000-0000-000000000000";
        expect(await world.provider.readHealth([id])).toEqual({ [id]: null });
      });

      test("the zone's name servers are known, a strange zone's are none", async () => {
        expect((await world.provider.readNameServers(world.zoneId)).length).toBeGreaterThan(0);
        expect(await world.provider.readNameServers("Z0NOSUCHZONE00")).toEqual([]);
      });
    });
  });
};

const setsIn = (result: ReadResult): readonly RecordSet[] => {
  if (result.kind !== "sets") throw new Error(`the read failed: ${JSON.stringify(result)}`);
  return result.sets;
};

const simple = (name: string): RecordSet => ({ name, type: "A", ttl: 30, values: ["192.0.2.1"] });

const member = (
  name: string,
  {
    type,
    id,
    weight,
    values,
  }: { readonly type: string; readonly id: string; readonly weight: number; readonly values: readonly string[] },
): RecordSet => ({ name, type, setIdentifier: id, weight, ttl: 30, values });

const family = (name: string, weights: Readonly<Record<string, number>>): RecordSet[] =>
  Object.entries(weights).map(([id, weight], index) => member(name, { type: "A", id, weight, values: [`192.0.2.${index + 1}`] }));

const epochSet = (name: string, ulid: string): RecordSet => ({
  name,
  type: "TXT",
  ttl: 30,
  values: [`"regent1 o=suite t=1 r=1 p=${ulid} m=auto d=0000000000000000"`],
});

const keyOf = (set: RecordSet): string => JSON.stringify([set.name, set.type, set.setIdentifier ?? ""]);
const inOrder = (sets: readonly RecordSet[]): RecordSet[] => sets.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));

/** The same sets in any order; their values too are a set. */
const expectSame = (found: readonly RecordSet[], wanted: readonly RecordSet[]): void => {
  const plain = (sets: readonly RecordSet[]) =>
    inOrder(sets).map((set) => (set.values === undefined ? set : { ...set, values: set.values.toSorted() }));
  expect(plain(found)).toEqual(plain(wanted));
};

const until = async (world: DnsProviderWorld, isTrue: () => Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + SETTLE_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error("it didn't become true in time");
    await world.letTimePass();
  }
};
