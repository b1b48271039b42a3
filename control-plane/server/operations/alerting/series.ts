/** The samples of one metric as series, named once for all rules of a round: a thousand agents under twenty rules would be named 40,000 times. Pure. */
import { toLabelText } from "../../configuration/alerts/series-text.ts";
import type { Sample } from "../../ports/metric-source.ts";

export interface KeyedSample extends Sample {
  /** Its labels as text. */
  readonly key: string;
}

export interface Series {
  /** Of a histogram without the bucket's `le`. */
  readonly labels: Sample["labels"];
  /** One; of a histogram its buckets. */
  readonly samples: readonly KeyedSample[];
}

/** In the order of their names. */
export const toSeries = (samples: readonly Sample[], isHistogram: boolean): readonly Series[] => {
  const groups = new Map<string, { labels: Sample["labels"]; samples: KeyedSample[] }>();
  for (const sample of samples) {
    const key = toLabelText(sample.labels);
    const labels = isHistogram ? without(sample.labels) : sample.labels;
    const name = isHistogram ? toLabelText(labels) : key;
    const known = groups.get(name);
    if (known) known.samples.push({ ...sample, key });
    else groups.set(name, { labels, samples: [{ ...sample, key }] });
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, series]) => series);
};

const without = ({ le: _, ...labels }: Sample["labels"]): Sample["labels"] => labels;
