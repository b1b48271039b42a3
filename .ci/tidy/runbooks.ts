/** What a runbook quotes must be what Regent prints: at night nobody guesses which sentence was meant. */
import { isCode, isTest, lineOf, type SourceFile, type Violation, withoutComments } from "./tree.ts";

const RUNBOOK = /^docs\/runbooks\/.*\.md$/;
const QUOTE = /^> (.+)$/gm;
/** Stands for what varies. */
const HOLE = "…";
/** What joins a piece to a hole may be another piece of code. */
const EDGES = /^[\s.,:;]+|[\s.,:;]+$/g;
/** Shorter pieces between holes are in every file. */
const PIECE_LENGTH_MIN = 8;

/** A quoted line is pieces between holes; each has to stand in the code, and one at least has to say something. */
export const findUnsaidSentences = (files: readonly SourceFile[]): readonly Violation[] => {
  const said = files
    .filter(({ path }) => path.startsWith("control-plane/") && isCode(path) && !isTest(path))
    .map(({ text }) => withoutComments(text))
    .join("\n");
  return files
    .filter(({ path }) => RUNBOOK.test(path))
    .flatMap(({ path, text }) =>
      [...text.matchAll(QUOTE)].flatMap((found) => {
        const [, sentence = ""] = found;
        const at = `${path}:${lineOf(text, found.index)}`;
        const pieces = sentence
          .split(HOLE)
          .map((piece) => piece.replace(EDGES, ""))
          .filter((piece) => piece.length >= PIECE_LENGTH_MIN);
        if (pieces.length === 0) return [`${at}: "${sentence}" quotes too little to be found`];
        return pieces.filter((piece) => !said.includes(piece)).map((piece) => `${at}: nothing prints "${piece}"`);
      }),
    );
};

const SECTIONS = ["You see", "It means", "Look", "Decide", "Do", "Afterwards"];

/** The same six questions in the same order, so that a tired reader finds the fourth without reading the first three. */
export const findOddRunbooks = (files: readonly SourceFile[]): readonly Violation[] =>
  files
    .filter(({ path }) => RUNBOOK.test(path) && !path.endsWith("/README.md"))
    .filter(({ text }) => [...text.matchAll(/^## (.+)$/gm)].map((found) => found[1]).join() !== SECTIONS.join())
    .map(({ path }) => `${path}: its sections aren't ${SECTIONS.join(", ")}`);

/** A page that isn't in the list is found by nobody. */
export const findUnlistedRunbooks = (files: readonly SourceFile[]): readonly Violation[] => {
  const list = files.find(({ path }) => path === "docs/runbooks/README.md")?.text ?? "";
  return files
    .filter(({ path }) => RUNBOOK.test(path) && !path.endsWith("/README.md"))
    .filter(({ path }) => !list.includes(`](${path.slice("docs/runbooks/".length)})`))
    .map(({ path }) => `docs/runbooks/README.md: ${path} is missing`);
};
