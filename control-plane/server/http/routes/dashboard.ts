/** The dashboard at `/`, or a page that says how to build it. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { DashboardFile } from "../dashboard-files.ts";
import type { HttpEnv } from "../env.ts";
import { toPage } from "../page.ts";

export const mountDashboard = (app: OpenAPIHono<HttpEnv>, files: ReadonlyMap<string, DashboardFile>): void => {
  if (!files.has("/")) {
    app.get("/", (c) => c.html(toPage("Regent", ABSENT)));
    return;
  }
  for (const [path, { bytes, contentType, isImmutable }] of files)
    app.get(path, (c) =>
      c.body(bytes, 200, {
        "content-type": contentType,
        "cache-control": isImmutable ? "public, max-age=31536000, immutable" : "no-cache",
      }),
    );
};

const ABSENT = [
  "The control plane runs. Its dashboard isn't built here: run “npm run build” in the repository and start again.",
  "The same is told by “regent status”, and by the HTTP API, which /docs describes.",
];
