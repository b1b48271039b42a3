import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { toDeclarationJsonSchema } from "./json-schema.ts";

const committed: unknown = JSON.parse(readFileSync(new URL("../../../docs/regent.schema.json", import.meta.url), "utf8"));

test("docs/regent.schema.json, which editors read, is the schema that the server checks with", () => {
  expect(committed, "write it anew from toDeclarationJsonSchema() and format it with biome").toEqual(
    JSON.parse(JSON.stringify(toDeclarationJsonSchema())),
  );
});

test("a person needn't write what has a default", () => {
  expect(toDeclarationJsonSchema()).toMatchObject({
    required: ["regent", "owner", "zones", "regions"],
    additionalProperties: false,
  });
});
