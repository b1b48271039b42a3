/** What all parts of the picture share. Pure. */
export type Scale = (atMs: number) => number;

export const WIDTH = 960;
export const LEFT = 120;

/** For SVG, in content and in attributes; control characters are none of XML's. */
export const text = (value: string): string =>
  [...value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")]
    .filter((character) => character >= " ")
    .join("");

/** About as wide as a letter of the picture's font is. */
export const LETTER_WIDTH = 6.2;
