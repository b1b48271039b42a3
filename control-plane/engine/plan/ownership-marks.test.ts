import { describe, expect, it } from "vitest";
import { testService } from "../testing/dns.ts";
import { markNames, readMarks } from "./ownership-marks.ts";

const spec = testService();
const txt = (name: string, ...values: string[]) => ({ name, type: "TXT", ttl: 300, values });
const MARK = '"heritage=external-dns,external-dns/owner=k8s,external-dns/resource=ingress/web/shop"';

describe("marks of external-dns", () => {
  it.each([
    ["at the name itself", "www.example.com"],
    ["of an A record", "a-www.example.com"],
    ["of an AAAA record", "aaaa-www.example.com"],
    ["of a CNAME record", "cname-www.example.com"],
  ])("%s are read with their owner", (_, name) => {
    expect(readMarks(spec, [txt(name, MARK)])).toEqual([{ tool: "external-dns", owner: "k8s", name }]);
  });

  it.each([
    ["of another name", txt("a-api.example.com", MARK)],
    ["in another type", { ...txt("www.example.com", MARK), type: "SPF" }],
    ["without an owner", txt("www.example.com", '"heritage=external-dns"')],
    ["that are somebody's prose", txt("www.example.com", '"we moved away from external-dns/owner=k8s"')],
  ])("%s are none of this name", (_, set) => {
    expect(readMarks(spec, [set])).toEqual([]);
  });

  it("stand among other values of the name too", () => {
    expect(readMarks(spec, [txt("www.example.com", '"v=spf1 -all"', MARK)])).toHaveLength(1);
  });

  it("of every family are looked for; beside a wildcard there is no label for them", () => {
    const [family] = spec.families;
    if (!family) throw new Error("a service has a family");
    const two = { ...spec, families: [family, { ...family, id: "eu", name: "*.example.com" }] };
    expect(markNames(two)).toEqual(["a-www.example.com", "aaaa-www.example.com", "cname-www.example.com"]);
    expect(readMarks(two, [txt("*.example.com", MARK)])).toHaveLength(1);
  });
});
