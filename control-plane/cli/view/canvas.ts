/** A terminal that is drawn over: plain escape codes, on the alternate screen, so that what stood there before comes back. */
import type { Terminal } from "../context.ts";

export interface Canvas {
  readonly draw: (lines: readonly string[]) => void;
  readonly close: () => void;
}

const ESC = "\u001b[";

export const openCanvas = ({ out }: Terminal): Canvas => {
  out(`${ESC}?1049h${ESC}?25l`);
  let isOpen = true;
  return {
    // Line by line over the old ones: clearing first would flicker.
    draw: (lines) => {
      if (isOpen) out(`${ESC}H${lines.map((line) => `${line}${ESC}K`).join("\n")}${ESC}J`);
    },
    close: () => {
      if (isOpen) out(`${ESC}?25h${ESC}?1049l`);
      isOpen = false;
    },
  };
};
