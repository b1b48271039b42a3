/** People wait for people only. Behind admission, so that nobody without a credential takes a place. */
import type { Lanes } from "../../access/lanes.ts";
import type { HttpMiddleware } from "../env.ts";
import { toProblemResponse } from "../problems.ts";

export const createOperatorLane =
  (lanes: Lanes): HttpMiddleware =>
  async (c, next) => {
    const pass = await lanes.enter("operator", Number(c.req.header("content-length") ?? 0) || 0);
    if (pass.kind === "refused") return toProblemResponse(c, { ...pass, kind: "too-many-requests" });
    try {
      return await next();
    } finally {
      pass.leave(true);
    }
  };
