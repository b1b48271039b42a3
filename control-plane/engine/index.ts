export * from "./health/streak.ts";
export * from "./model.ts";
