/** `regent dead-letters`: what could not be processed, and why. Pure. */
import type { DeadLetter, DeadLetterDetail, DeadLetterPage } from "@regent/contract";
import { clockMsText } from "./numbers.ts";
import type { Paint } from "./paint.ts";

export const toLetterLines = ({ letters, next }: DeadLetterPage, paint: Paint): string[] => [
  ...(letters.length === 0 ? ["There are no dead letters."] : letters.flatMap((letter) => toLetter(letter, paint))),
  ...(next === null ? [] : [paint.dim(`More: regent dead-letters list --cursor ${next}`)]),
];

export const toLetterDetail = (letter: DeadLetterDetail, paint: Paint): string[] => [
  ...toLetter(letter, paint),
  JSON.stringify(letter.payload, null, 2),
];

const toLetter = ({ id, at, kind, subject, why, attempts, bytes }: DeadLetter, paint: Paint): string[] => [
  `${paint.bold(id)}  ${clockMsText(at)}  ${kind} of ${subject}  ${bytes} bytes, ${attempts} ${attempts === 1 ? "try" : "tries"}`,
  `  ${why}`,
];
