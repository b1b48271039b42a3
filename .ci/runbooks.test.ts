/** Holds the runbooks to the code; control-plane/cli/documented-commands.test.ts does the same for the commands in them. */
import { describe, expect, test } from "vitest";
import { findOddRunbooks, findUnlistedRunbooks, findUnsaidSentences } from "./tidy/runbooks.ts";
import { readFiles, type SourceFile } from "./tidy/tree.ts";

const files = readFiles();
const PAGE = "docs/runbooks/x.md";
const code: SourceFile = {
  path: "control-plane/engine/x.ts",
  text: 'const why = [region, "is unhealthy; traffic goes to", after].join(" ");\n// nobody says this at all\n',
};
const unsaid = (quote: string): readonly string[] => findUnsaidSentences([code, { path: PAGE, text: `# X\n\n> ${quote}\n` }]);

test("the runbooks are there", () => {
  expect(files.filter(({ path }) => path.startsWith("docs/runbooks/")).length).toBeGreaterThan(6);
});

describe("what a runbook quotes is what Regent prints", () => {
  test("in this repository", () => {
    expect(findUnsaidSentences(files)).toEqual([]);
  });
  test.each(["… is healthy; traffic goes to …", "… is unhealthy; traffic flows to …", "nobody says this at all", "… is …"])(
    "refuses %s",
    (quote) => {
      expect(unsaid(quote)).toHaveLength(1);
    },
  );
  test("allows what the code says, with holes for what varies", () => {
    expect(unsaid("… is unhealthy; traffic goes to …")).toEqual([]);
  });
});

describe("runbooks ask the same questions and are listed", () => {
  test("in this repository", () => {
    expect([...findOddRunbooks(files), ...findUnlistedRunbooks(files)]).toEqual([]);
  });
  test("refuses one that leaves a question out, and one that nobody finds", () => {
    const page = { path: PAGE, text: "# X\n\n## You see\n\n## Do\n" };
    expect(findOddRunbooks([page])).toHaveLength(1);
    expect(findUnlistedRunbooks([page, { path: "docs/runbooks/README.md", text: "[y](y.md)" }])).toHaveLength(1);
    expect(findUnlistedRunbooks([page, { path: "docs/runbooks/README.md", text: "[x](x.md)" }])).toEqual([]);
  });
});
