/** The picture: well-formed, complete, and readable without colour. */
import { expect, test } from "vitest";
import { run, tonight } from "../testing/rehearse.ts";
import { toPicture } from "./picture.ts";

const lines = [
  "outcomes:",
  "  - { regions: eu-west, what: ok*60 timeout }",
  "operators:",
  '  - { at: 30s, as: "a<b>&c", do: freeze, service: checkout, reason: "x < y & z" }',
].join("\n");

test("verdicts, shares, refusals and what was asked are in it, each with its words, and nothing of a file is markup", async () => {
  const { rehearsal, run: ran } = await run(tonight(lines));
  const svg = toPicture({ ...rehearsal, name: "<script>" }, ran);
  for (const words of ["eu-west 100 %", "unhealthy", "held by A4", "asked for freeze, made", "shares", "+10m00s"])
    expect(svg).toContain(words);
  expect(svg).toContain("&lt;script&gt;");
  expect(svg).not.toContain("<script");
  expect(svg).toContain("a&lt;b&gt;&amp;c");
  // Each opening tag is closed, in its order.
  const open: string[] = [];
  for (const [, closing, name = "", own] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/gi)) {
    if (own === "/") continue;
    if (closing === "/") expect(open.pop()).toBe(name);
    else open.push(name);
  }
  expect(open).toEqual([]);
});

test("a bad verdict and a second region have patterns, for who sees no colour, and dark has colours of its own", async () => {
  const { rehearsal, run: ran } = await run(tonight("outcomes:\n  - { regions: eu-west, what: ok*60 timeout }"));
  const svg = toPicture(rehearsal, ran);
  expect(svg.match(/fill="url\(#hatch\)"/g)?.length).toBeGreaterThanOrEqual(2);
  expect(svg).toContain("@media (prefers-color-scheme:dark)");
  expect(svg).not.toContain("NaN");
});

test("each family of a service has an area of its own, and weights of it", async () => {
  const families =
    "services.checkout.families=[{ id: eu, name: eu.example.com }, { id: us, name: us.example.com, priority: { us-east: 1, eu-west: 2, ap-south: 3 } }]";
  const { rehearsal, run: ran } = await run(tonight(`configuration:\n  - { at: 0s, set: "${families}" }`));
  const svg = toPicture(rehearsal, ran);
  expect(svg).toContain("eu-west 100 %");
  expect(svg).toContain("us-east 100 %");
  for (const family of ["eu", "us"]) expect(svg).toContain(`text-anchor="end">${family}</text>`);
});
