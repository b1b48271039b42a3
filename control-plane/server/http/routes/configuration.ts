/** The declared configuration: read, planned, applied; and every version that was. Who applies says which version it was planned on. */
import { ApplyAnswer, OperatorReason, OwnerId, PlanAnswer } from "@regent/contract";
import * as z from "zod";
import { CONFIGURATION_VERSIONS_PAGE_MAX, REQUEST_BYTES_MAX } from "../../limits.ts";
import type { ApplyResult, ControlPlane } from "../../operations/control-plane.ts";
import { answer, type Mount, mountRoute, type Outcome } from "../mount-route.ts";
import { ConfigurationAnswer, ConfigurationVersionDetail, ConfigurationVersionPage } from "../wire.ts";

/** How errors name the text: it came without a file. */
const FILE_NAME = "regent.yaml";
const YAML = { mediaTypes: ["text/yaml", "application/yaml", "application/x-yaml"], bytesMax: REQUEST_BYTES_MAX };
const ETAG = /^"(?<version>[0-9]{1,15})"$/;

const IfMatch = z.object({
  "if-match": z.string().regex(ETAG, 'If-Match: the ETag of the version that this was planned on, like "7"'),
});

/** The owner of before, when the declaration names another one; and why, for history. */
const ApplyQuery = z.object({ takeover: OwnerId.optional(), reason: OperatorReason.optional() });

const Version = z
  .string()
  .regex(/^[1-9][0-9]{0,14}$/, "a version: a number from 1")
  .transform(Number);
const PAGE_DEFAULT = 20;
const VersionsQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(CONFIGURATION_VERSIONS_PAGE_MAX).default(PAGE_DEFAULT),
  cursor: Version.optional(),
});
const VersionPath = z.object({ version: Version });

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
  mountRoute(mount, "GET /v1/configuration/versions", {
    summary: "Every version that was applied and what it changed, newest first",
    query: VersionsQuery,
    answer: ConfigurationVersionPage,
    problems: ["invalid-request"],
    handle: async ({ query: { limit, cursor } }) => {
      const versions = await controlPlane.configurationVersions({ limit, ...(cursor === undefined ? {} : { before: cursor }) });
      const last = versions.at(-1)?.version ?? 1;
      return answer({
        versions: versions.map(({ version, author, at, lines }) => ({ version, author, at, lines: [...lines] })),
        next: versions.length < limit || last === 1 ? null : last,
      });
    },
  });
  mountRoute(mount, "GET /v1/configuration/versions/{version}", {
    summary: "One of them, with its text",
    params: VersionPath,
    answer: ConfigurationVersionDetail,
    problems: ["not-found", "invalid-request"],
    handle: async ({ params }) => {
      const applied = await controlPlane.configurationVersion(params.version);
      if (applied === null) return { kind: "not-found", what: `configuration version ${params.version}` };
      const { version, author, at, lines, text } = applied;
      return answer({ version, author, at, lines: [...lines], text });
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
    query: ApplyQuery,
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
        ...(query.reason === undefined ? {} : { reason: query.reason }),
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
