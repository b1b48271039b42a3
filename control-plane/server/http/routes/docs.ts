/** The OpenAPI document, and a page that a person can read it on: written by the server, with no script and nothing from elsewhere. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { HttpEnv } from "../env.ts";
import { escapeHtml, PAGE_STYLE, toDocument } from "../page.ts";

const DOCUMENT = {
  openapi: "3.1.0",
  info: {
    title: "Regent",
    version: "1",
    description:
      "See, move and freeze DNS traffic. Errors are application/problem+json (RFC 9457); mutations take an Idempotency-Key.",
    license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  },
} as const;

export const mountDocs = (app: OpenAPIHono<HttpEnv>, { cookieName }: { cookieName: string }): void => {
  app.openAPIRegistry.registerComponent("securitySchemes", "token", { type: "http", scheme: "bearer" });
  app.openAPIRegistry.registerComponent("securitySchemes", "session", { type: "apiKey", in: "cookie", name: cookieName });
  app.doc31("/openapi.json", DOCUMENT);
  app.get("/docs", (c) => c.html(toDocument("HTTP API", toBody(readDocument(app)))));
  app.get("/docs/style.css", (c) => c.body(PAGE_STYLE, 200, { "content-type": "text/css; charset=utf-8" }));
};

/** The generator's own type says less than OpenAPI does: what it writes has this form, and a test reads all of it. */
const readDocument = (app: OpenAPIHono<HttpEnv>): ApiDocument => app.getOpenAPI31Document(DOCUMENT) as unknown as ApiDocument;

/** The part of an OpenAPI document that the page shows. */
interface ApiDocument {
  readonly info: { readonly title: string; readonly description?: string };
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> };
}

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: unknown }>> };
  readonly responses?: Readonly<
    Record<string, { readonly description?: string; readonly content?: Readonly<Record<string, { readonly schema?: unknown }>> }>
  >;
}

const toBody = ({ info, paths = {} }: ApiDocument): string => {
  const sections = new Map<string, string[]>();
  for (const [path, operations] of Object.entries(paths))
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags?.[0] ?? "other";
      sections.set(tag, [...(sections.get(tag) ?? []), toOperation(method, path, operation)]);
    }
  const parts = [...sections].map(([tag, operations]) => `<h2>${escapeHtml(tag)}</h2>\n${operations.join("\n")}`);
  const document = '<p><a href="/openapi.json">openapi.json</a> holds the same for programs.</p>';
  return `<h1>${escapeHtml(info.title)} HTTP API</h1>\n<p>${escapeHtml(info.description ?? "")}</p>\n${document}\n${parts.join("\n")}`;
};

const toOperation = (
  method: string,
  path: string,
  { summary, description, parameters, requestBody, responses }: Operation,
): string => {
  const told = [summary, description].filter((line) => line !== undefined).map((line) => `<p>${escapeHtml(line)}</p>`);
  const rows = (parameters ?? []).map(
    (p) =>
      `<tr><td><code>${escapeHtml(p.name)}</code></td><td>${escapeHtml(p.in)}</td><td>${p.required ? "required" : "optional"}</td></tr>`,
  );
  const table = rows.length > 0 ? `<table>${rows.join("")}</table>` : "";
  const bodies = Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => toSchema(`Body, ${type}`, schema));
  const answers = Object.entries(responses ?? {}).map(([number, response]) => {
    const [type, content] = Object.entries(response.content ?? {})[0] ?? ["", {}];
    if (type.startsWith("application/problem"))
      return `<p><code>${escapeHtml(number)}</code> ${escapeHtml(response.description ?? "")}</p>`;
    return toSchema(`${number}, ${type}`, content.schema);
  });
  const heading = `<h3><code>${escapeHtml(method.toUpperCase())} ${escapeHtml(path)}</code></h3>`;
  return [heading, ...told, table, ...bodies, ...answers].join("\n");
};

const toSchema = (title: string, schema: unknown): string =>
  `<details><summary>${escapeHtml(title)}</summary><pre>${escapeHtml(JSON.stringify(schema ?? {}, null, 2))}</pre></details>`;
