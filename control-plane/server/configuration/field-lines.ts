/** Field by field what differs between two plain values: `settings.holdMaxSeconds: 15 -> 30`. Pure. Called by the difference files. */

/** Keys in the order of `after`, then those that are gone. Maps are compared key by key, lists as a whole. */
export const toFieldLines = (before: object, after: object): string[] => {
  const [left, right] = [before as Fields, after as Fields];
  const keys = [...Object.keys(right), ...Object.keys(left).filter((key) => !Object.hasOwn(right, key))];
  return keys.flatMap((key) => {
    const [from, to] = [left[key], right[key]];
    if (isSame(from, to)) return [];
    if (isFields(from) && isFields(to) && !isAnswer(from, to)) return toFieldLines(from, to).map((line) => `${key}.${line}`);
    return [`${key}: ${toFieldText(from)} -> ${toFieldText(to)}`];
  });
};

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** An alias reads better whole than as three changed fields. */
const isAnswer = (from: Fields, to: Fields): boolean => "alias" in from || "alias" in to;

export const toFieldText = (value: unknown): string => {
  if (value === undefined) return "not set";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(toFieldText).join(", ");
  if (!isFields(value)) return typeof value === "string" ? value : JSON.stringify(value);
  if (isFields(value.alias)) return `alias of ${toFieldText(value.alias.name)} in ${toFieldText(value.alias.hostedZoneId)}`;
  return Object.entries(value)
    .map(([key, part]) => `${key} ${toFieldText(part)}`)
    .join(" ");
};

const isSame = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((part, at) => isSame(part, b[at]));
  if (!isFields(a) || !isFields(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => isSame(a[key], b[key]));
};
