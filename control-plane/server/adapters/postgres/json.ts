/**
 * JSON text as Postgres takes it. Values that came from a probed target may hold what JSON allows and Postgres refuses (U+0000 and halves
 * of surrogate pairs): those characters become U+FFFD, so that no target can make our writes fail.
 */

// With the u flag a surrogate matches only where its other half is missing.
const UNSTORABLE = /[\0\uD800-\uDFFF]/gu;
const REFUSED = /\\u0000|\\ud[89a-f]/i;

export const toJsonText = (value: unknown): string => {
  const text = JSON.stringify(value);
  return REFUSED.test(text) ? JSON.stringify(clean(value)) : text;
};

export const toPlainText = (text: string): string => text.replace(UNSTORABLE, "\uFFFD");

const clean = (value: unknown): unknown => {
  if (typeof value === "string") return toPlainText(value);
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [toPlainText(key), clean(each)]));
  return value;
};
