/**
 * Names between Route 53's spelling and ours. Pure. Route 53 lists `\052.example.com.`; a RecordSet says `*.example.com`.
 * Escapes of a dot, a backslash, a letter or an unprintable byte stay as they are, so that going there and back changes nothing.
 */

/** Printable characters that Route 53 lists escaped and that mean nothing else in a name. */
const isPunctuation = (code: number): boolean =>
  code > 0x20 && code < 0x7f && !/[a-zA-Z0-9_.\\-]/.test(String.fromCharCode(code));

/** `\052.Example.com.` -> `*.example.com`: escapes of punctuation resolved, final dot gone. Case is kept. */
export const unescapeName = (name: string): string => {
  const text = name.replace(/\\([0-7]{3})/g, (spelled: string, digits: string) => {
    const code = Number.parseInt(digits, 8);
    return isPunctuation(code) ? String.fromCharCode(code) : spelled;
  });
  return text.endsWith(".") ? text.slice(0, -1) : text;
};

/** A record set's name as RecordSet has it: unescaped, no final dot, lower case. */
export const fromRoute53Name = (name: string): string => unescapeName(name).toLowerCase();

/** `*.example.com` -> `\052.example.com.`: as Route 53 lists it. */
export const toRoute53Name = (name: string): string => {
  const text = name.replace(/[^\\]/gu, (character) => {
    const code = character.charCodeAt(0);
    return isPunctuation(code) ? `\\${code.toString(8).padStart(3, "0")}` : character;
  });
  return `${text}.`;
};

/**
 * Where a name stands in a listing: labels from the right, so that `_regent.www.example.com` follows `www.example.com`.
 * Only an order to ask in. Whether a name was listed in full is judged by what the page shows, never by this.
 */
export const listingKeyOf = (name: string): string => name.split(".").reverse().join(".");

/** `/hostedzone/Z1`, `/change/C1` -> the id alone. */
export const bareId = (id: string): string => id.replace(/^\/(hostedzone|change|delegationset)\//, "");
