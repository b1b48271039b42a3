/** What a script breaks and mends, in words for a person. Pure. */
import type { Break, Mend } from "./sandbox-script-words.ts";

/** `eu-west: slow (delayMs 800)` */
export const toBreakText = (what: Break): string => {
  switch (what.on) {
    case "region": {
      const { fault, ...numbers } = what.fault;
      return `${what.region}: ${fault}${numbersText(numbers)}`;
    }
    case "links":
      return `${linksText(what.cut)}: cut (${what.cut.mode})`;
    case "route53": {
      const { kind, ...numbers } = what.fault;
      return `Route 53: ${kind}${numbersText(numbers)}`;
    }
    case "agents":
      return `agents ${what.ids.join(", ")}: killed`;
    case "part":
      return `${what.part}: ${what.by === "kill" ? "killed" : "stopped"}`;
  }
};

/** What a break's own end mends: the break without its numbers. */
export const toOverText = (what: Break): string => {
  switch (what.on) {
    case "region":
      return toMendText({ on: "region", region: what.region, fault: what.fault.fault });
    case "links":
      return toMendText({ on: "links", choice: what.cut });
    case "route53":
      return toMendText({ on: "route53", kind: what.fault.kind });
    case "agents":
    case "part":
      return toMendText(what);
  }
};

export const toMendText = (mend: Mend): string => {
  switch (mend.on) {
    case "everything":
      return "everything";
    case "region":
      return mend.fault === undefined ? mend.region : `${mend.region}: ${mend.fault}`;
    case "links":
      return linksText(mend.choice);
    case "route53":
      return mend.kind === "all" ? "Route 53" : `Route 53: ${mend.kind}`;
    case "agents":
      return `agents ${mend.ids.join(", ")}`;
    case "part":
      return mend.part;
  }
};

const linksText = ({ from, to }: { readonly from?: string | undefined; readonly to?: string | undefined }): string =>
  `${from ?? "every vantage"} -> ${to ?? "everything"}`;

const numbersText = (numbers: Readonly<Record<string, unknown>>): string => {
  const texts = Object.entries(numbers)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name, value]) => (value === true ? name : `${name} ${Array.isArray(value) ? value.join(", ") : value}`));
  return texts.length === 0 ? "" : ` (${texts.join("; ")})`;
};
