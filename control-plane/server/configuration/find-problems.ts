/**
 * What no schema can see: references that lead nowhere, the same thing declared twice, records that DNS would refuse, settings that contradict
 * each other. Pure. Called by check-declaration.ts; one file of problems/ per kind of question, and all of them are always asked.
 */
import type { Declaration } from "@regent/contract";
import type { ConfigurationProblem } from "./problem-path.ts";
import { findAgentProblems } from "./problems/agents.ts";
import { findAlertProblems } from "./problems/alerts.ts";
import { findMaintenanceProblems } from "./problems/maintenance.ts";
import { findNameProblems } from "./problems/names.ts";
import { findNotifyProblems } from "./problems/notifiers.ts";
import { findRecordProblems } from "./problems/records.ts";
import { findReferenceProblems } from "./problems/references.ts";
import { findSafetyProblems } from "./problems/safety.ts";
import { findSettingProblems } from "./problems/settings.ts";
import { findStatefulProblems } from "./problems/stateful.ts";
import { findTargetProblems } from "./problems/targets.ts";

export const findDeclarationProblems = (declaration: Declaration): ConfigurationProblem[] => [
  ...findReferenceProblems(declaration),
  ...findAgentProblems(declaration),
  ...findNameProblems(declaration),
  ...findRecordProblems(declaration),
  ...findTargetProblems(declaration),
  ...findSettingProblems(declaration),
  ...findNotifyProblems(declaration),
  ...findAlertProblems(declaration),
  ...findMaintenanceProblems(declaration),
  ...findSafetyProblems(declaration),
  ...findStatefulProblems(declaration),
];
