export * from "./decide.ts";
export * from "./health/streak.ts";
export * from "./model.ts";
export { epochName } from "./plan/epoch.ts";
export { RULES } from "./safety/evaluate.ts";
export { clockText, durationText, percentText, sharesText } from "./text.ts";
