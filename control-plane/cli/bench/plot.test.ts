import { expect, test } from "vitest";
import { toSvg } from "./plot.ts";

const plot = (isLog: boolean) =>
  toSvg({
    title: "memory & <time>",
    xName: "minutes",
    isLog,
    series: [
      {
        name: "MB",
        points: [
          [1, 100],
          [10, 200],
          [100, Number.NaN],
        ],
      },
      {
        name: "flat",
        points: [
          [1, 0],
          [10, 0],
        ],
      },
    ],
  });

test.each([true, false])("draws what is known, within its frame (log scales: %s)", (isLog) => {
  const svg = plot(isLog);
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  expect(svg).toContain("memory &amp; &lt;time&gt;");
  expect(svg.match(/class="line"/g)).toHaveLength(2);
  const points = [...svg.matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
  for (const [x, y] of points) {
    expect(x).toBeGreaterThanOrEqual(0);
    expect(x).toBeLessThanOrEqual(340);
    expect(y).toBeGreaterThanOrEqual(0);
    expect(y).toBeLessThanOrEqual(190);
  }
});
