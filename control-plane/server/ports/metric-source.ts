/** What this process measures of itself, as `/metrics` would export it now. */

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  /** Of a counter since the process began; of a histogram's bucket (label `le`), how many were not above it. */
  readonly value: number;
}

export interface MetricSource {
  /** Series by metric; of a histogram its buckets. A metric that this process doesn't export has none. */
  readonly read: (names: readonly string[]) => Promise<ReadonlyMap<string, readonly Sample[]>>;
}
