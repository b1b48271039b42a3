/** The declaration's JSON Schema, for editors and for naming known keys. docs/regent.schema.json is a copy that a test keeps equal. Pure. */
import { Declaration } from "@regent/contract";
import * as z from "zod";

export const SCHEMA_TITLE = "Regent declaration (regent.yaml)";

/** JSON Schema 2020-12 of what a person writes: keys with defaults are optional. */
export const toDeclarationJsonSchema = (): Readonly<Record<string, unknown>> => {
  const { $schema, ...schema } = z.toJSONSchema(Declaration, { io: "input" });
  return { $schema, title: SCHEMA_TITLE, ...schema };
};
