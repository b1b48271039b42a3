/**
 * A7: traffic goes where its data can be written, and nowhere else: never two regions with traffic and a writable database each, and none that can't
 * write. Where the target is a standby, the writable role is led there first, by a transfer; a person is asked before that when writes may be lost.
 * Break-glass skips this, the leading included: it is for whoever has promoted the target by hand where Regent can't see it.
 */
import { judgeRole } from "./judge-role.ts";
import type { Rule } from "./rule.ts";
import { allow, defer, deny, requireApproval } from "./rule.ts";

export const a07Writable: Rule = {
  id: "A7",
  binds: "break-glass",
  ask: (input) => {
    const ruling = judgeRole(input);
    switch (ruling.kind) {
      case "fine":
        return allow(ruling.why);
      case "never":
        return deny(ruling.why);
      case "wait":
      case "lead":
        return defer(ruling.why, null);
      case "ask":
        return requireApproval(ruling.why);
    }
  },
};
