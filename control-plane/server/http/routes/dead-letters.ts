/** What was acknowledged and could not be processed: looked at, tried again, dropped. It may be of any service, so no scoped token reaches it. */
import { DeadLetterAnswer, DeadLetterDetail, DeadLetterOrder, DeadLetterPage, Ulid } from "@regent/contract";
import * as z from "zod";
import { DEAD_LETTERS_PAGE_MAX } from "../../limits.ts";
import type { ControlPlane } from "../../operations/control-plane.ts";
import { answer, type Mount, mountRoute } from "../mount-route.ts";

const LetterPath = z.object({ id: Ulid });

const PAGE_DEFAULT = 50;

const LettersQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(DEAD_LETTERS_PAGE_MAX).default(PAGE_DEFAULT),
  cursor: Ulid.optional(),
});

export const mountDeadLetters = (mount: Mount, { controlPlane }: { controlPlane: ControlPlane }): void => {
  mountRoute(mount, "GET /v1/dead-letters", {
    summary: "Reports, clocks and pages that could not be processed or delivered, newest first",
    query: LettersQuery,
    answer: DeadLetterPage,
    problems: ["invalid-request"],
    handle: async ({ query: { limit, cursor } }) =>
      answer(await controlPlane.deadLetters({ limit, ...(cursor === undefined ? {} : { cursor }) })),
  });
  mountRoute(mount, "GET /v1/dead-letters/{id}", {
    summary: "One of them, with what came",
    params: LetterPath,
    answer: DeadLetterDetail,
    problems: ["not-found"],
    handle: async ({ params: { id } }) => {
      const letter = await controlPlane.deadLetter(id);
      return letter ? answer(letter) : { kind: "not-found", what: `dead letter ${id}` };
    },
  });
  const mutations = [
    ["POST /v1/dead-letters/{id}/retry", "Process it again; a report feeds history only", controlPlane.retryDeadLetter],
    ["DELETE /v1/dead-letters/{id}", "Drop it", controlPlane.dropDeadLetter],
  ] as const;
  for (const [key, summary, work] of mutations)
    mountRoute(mount, key, {
      summary,
      params: LetterPath,
      body: DeadLetterOrder,
      answer: DeadLetterAnswer,
      problems: ["not-found", "not-leader"],
      handle: async ({ params: { id }, body: { reason } }, c) => {
        const result = await work({ id, by: c.get("principal").name, reason });
        switch (result.kind) {
          case "tried":
            return answer({ done: result.done, why: result.why });
          case "gone":
            return { kind: "not-found", what: `dead letter ${id}` };
          case "not-leader":
          case "not-found":
            return result;
        }
      },
    });
};
