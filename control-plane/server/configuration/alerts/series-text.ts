/** How series are called: as Prometheus writes them, labels in order, so that one series has one name. Pure. */

type Labels = Readonly<Record<string, string>>;

/** `{agent="x",door="reports"}`; nothing where there are none. */
export const toLabelText = (labels: Labels): string => {
  const names = Object.keys(labels).sort();
  return names.length === 0 ? "" : `{${names.map((name) => `${name}=${quote(labels[name] ?? "")}`).join(",")}}`;
};

export const toSeriesText = (metric: string, labels: Labels): string => `${metric}${toLabelText(labels)}`;

/** What the database lets a key be. */
const KEY_MAX = 200;

export const toAlertKey = (rule: string, labels: Labels): string => {
  const key = `${rule}${toLabelText(labels)}`;
  return key.length <= KEY_MAX ? key : `${key.slice(0, KEY_MAX - 9)}#${digestOf(key)}`;
};

/** Two long names that begin alike stay two. FNV-1a: nobody chooses these names to make them collide. */
const digestOf = (text: string): string => {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, "0");
};

/** A label's value in quotes, as PromQL reads it. */
const quote = (value: string): string => `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
