/** The declared configuration: read, planned, applied. Who applies says which version it was planned on. */
import { ApplyAnswer, OwnerId, PlanAnswer } from "@regent/contract";
import * as z from "zod";
import { REQUEST_BYTES_MAX } from "../../limits.ts";
import type { ApplyResult, ControlPlane } from "../../operations/control-plane.ts";
import { answer, type Mount, mountRoute, type Outcome } from "../mount-route.ts";
import { ConfigurationAnswer } from "../wire.ts";

/** How errors name the text: it came without a file. */
const FILE_NAME = "regent.yaml";
const YAML = { mediaTypes: ["text/yaml", "application/yaml", "application/x-yaml"], bytesMax: REQUEST_BYTES_MAX };
const ETAG = /^"(?<version>[0-9]{1,15})"$/;

const IfMatch = z.object({
  "if-match": z.string().regex(ETAG, 'If-Match: the ETag of the version that this was planned on, like "7"'),
});

/** The owner of before, when the declaration names another one. */
const TakeoverQuery = z.object({ takeover: OwnerId.optional() });

const toEtag = (version: number): string => `"${version}"`;

export const mountConfiguration = (mount: Mount, { controlPlane }: { controlPlane: ControlPlane }): void => {
  mountRoute(mount, "GET /v1/configuration", {
    summary: "The configuration in force, with its version as ETag",
    answer: ConfigurationAnswer,
    problems: ["not-found"],
    handle: () => {
      const inForce = controlPlane.configuration();
      if (!inForce) return { kind: "not-found", what: "configuration in force yet" };
      return { kind: "answer", value: inForce, headers: { etag: toEtag(inForce.version) } };
    },
  });
  mountRoute(mount, "POST /v1/configuration/plan", {
    summary: "What applying this text would change; all errors at once, by line",
    rawBody: YAML,
    answer: PlanAnswer,
    problems: ["invalid-request", "invalid-configuration", "too-large"],
    handle: async (_, c) => {
      const result = await controlPlane.planConfiguration(await c.req.text(), FILE_NAME);
      return result.kind === "planned" ? answer(result.answer) : { kind: "invalid-configuration", errors: result.errors };
    },
  });
  mountRoute(mount, "PUT /v1/configuration", {
    summary: "Apply this text over the version named in If-Match",
    headers: IfMatch,
    query: TakeoverQuery,
    rawBody: YAML,
    answer: ApplyAnswer,
    problems: ["invalid-configuration", "stale-configuration"],
    handle: async ({ query }, c) => {
      const result = await controlPlane.applyConfiguration({
        text: await c.req.text(),
        fileName: FILE_NAME,
        baseVersion: Number(ETAG.exec(c.req.header("if-match") ?? "")?.groups?.version),
        author: c.get("principal").name,
        ...(query.takeover === undefined ? {} : { takeover: query.takeover }),
      });
      return toOutcome(result);
    },
  });
};

const toOutcome = (result: ApplyResult): Outcome<ApplyAnswer> => {
  switch (result.kind) {
    case "applied":
      return { kind: "answer", value: result.answer, headers: { etag: toEtag(result.answer.version) } };
    case "invalid":
      return { kind: "invalid-configuration", errors: result.errors };
    case "stale":
      return { kind: "stale-configuration", version: result.version };
  }
};
