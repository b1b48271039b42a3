/** What was seen around a moment that is over: what `regent rehearse --from-history` makes a rehearsal from. It is of all services. */
import { Instant, Recording } from "@regent/contract";
import * as z from "zod";
import { RECORDING_MS_MAX } from "../../limits.ts";
import type { ControlPlane } from "../../operations/control-plane.ts";
import { answer, type Mount, mountRoute } from "../mount-route.ts";

const Moment = z.coerce.number().pipe(Instant);

const RecordingQuery = z
  .strictObject({ from: Moment, to: Moment })
  .refine(({ from, to }) => from < to && to - from <= RECORDING_MS_MAX, {
    message: `from lies before to, by at most ${RECORDING_MS_MAX / 3_600_000} hours`,
  });

export const mountRecordings = (mount: Mount, { controlPlane }: { controlPlane: ControlPlane }): void => {
  mountRoute(mount, "GET /v1/recordings", {
    summary: "What agents saw and what was declared between two moments (milliseconds since 1970), as far as it is kept",
    query: RecordingQuery,
    answer: Recording,
    problems: ["invalid-request"],
    handle: async ({ query }) => answer(await controlPlane.recording(query)),
  });
};
