/**
 * Which addresses may be dialled on somebody's word: an agent's targets, the server's webhooks. Pure, and one for both. What is configured may
 * come over the wire, so no process of ours must become a way into its own network: every resolved address is checked, in every form that
 * hides an IPv4 address, and the checked address is what is dialled.
 *
 * Reads addresses strictly: shorthand such as "127.1", which one library reads and another reads otherwise, is malformed. A test holds the
 * reading against a library's (agents/core).
 */

export interface GuardRules {
  readonly allowLoopback: boolean;
  /** Private ranges, carrier-grade NAT and ranges reserved for documentation and tests. */
  readonly allowPrivate: boolean;
}

export type AddressClass = "public" | "private" | "loopback" | "metadata" | "link-local" | "unroutable" | "malformed";

export type GuardVerdict = { readonly kind: "allowed" } | { readonly kind: "blocked"; readonly class: AddressClass };

/** All must pass: a name that resolves to a good and a bad address is blocked. */
export const guardAddresses = (addresses: readonly string[], rules: GuardRules): GuardVerdict => {
  for (const address of addresses) {
    const kind = classOf(address);
    if (!isAllowed(kind, rules)) return { kind: "blocked", class: kind };
  }
  return { kind: "allowed" };
};

const isAllowed = (kind: AddressClass, { allowLoopback, allowPrivate }: GuardRules): boolean => {
  switch (kind) {
    case "public":
      return true;
    case "private":
      return allowPrivate;
    case "loopback":
      return allowLoopback;
    case "metadata":
    case "link-local":
    case "unroutable":
    case "malformed":
      return false;
  }
};

export const classOf = (address: string): AddressClass => {
  const bare = address.split("%", 1)[0] ?? "";
  const octets = readIpv4(bare);
  if (octets) return classOfIpv4(octets);
  const parts = readIpv6(bare);
  return parts ? classOfIpv6(parts) : "malformed";
};

// ------------------------------------------------------------------------------------------------------------- reading

const OCTET = /^(?:0|[1-9][0-9]{0,2})$/;

/** Four decimal octets, none with a leading zero. */
const readIpv4 = (text: string): readonly number[] | null => {
  const octets = text.split(".");
  if (octets.length !== 4 || !octets.every((octet) => OCTET.test(octet) && Number(octet) <= 255)) return null;
  return octets.map(Number);
};

const HEXTET = /^[0-9a-f]{1,4}$/i;

/** Eight numbers of 16 bits; "::" once, and the last two may be written as an IPv4 address. */
const readIpv6 = (text: string): readonly number[] | null => {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half, i) => readHextets(half, i === halves.length - 1));
  if (!head || tail === null) return null;
  if (tail === undefined) return head.length === 8 ? head : null;
  const zeros = 8 - head.length - tail.length;
  return zeros < 1 ? null : [...head, ...Array<number>(zeros).fill(0), ...tail];
};

const readHextets = (text: string, isLast: boolean): readonly number[] | null => {
  if (text === "") return [];
  const words = text.split(":");
  const parts = words.map((word, i): readonly number[] | null => {
    if (HEXTET.test(word)) return [Number.parseInt(word, 16)];
    const octets = isLast && i === words.length - 1 ? readIpv4(word) : null;
    return octets && [octets[0]! * 256 + octets[1]!, octets[2]! * 256 + octets[3]!];
  });
  return parts.some((part) => part === null) ? null : parts.flatMap((part) => part ?? []);
};

// ----------------------------------------------------------------------------------------------------------------- IPv4

/** Clouds answer with credentials or configuration here; not all of these are link-local. */
const METADATA_IPV4: ReadonlySet<string> = new Set([
  "169.254.169.254",
  "169.254.170.2",
  "169.254.170.23",
  "100.100.100.200",
  "192.0.0.192",
  "168.63.129.16",
]);

type Range = readonly [first: readonly number[], bits: number, kind: AddressClass];

/** Everything else is public. 192.175.48, 192.31.196 and 192.52.193 belong to name servers and relays of nobody's. */
const IPV4_RANGES: readonly Range[] = [
  [[0], 8, "unroutable"],
  [[10], 8, "private"],
  [[100, 64], 10, "private"],
  [[127], 8, "loopback"],
  [[169, 254], 16, "link-local"],
  [[172, 16], 12, "private"],
  [[192, 0, 0], 24, "private"],
  [[192, 0, 2], 24, "private"],
  [[192, 31, 196], 24, "unroutable"],
  [[192, 52, 193], 24, "unroutable"],
  [[192, 88, 99], 24, "private"],
  [[192, 168], 16, "private"],
  [[192, 175, 48], 24, "unroutable"],
  [[198, 18], 15, "private"],
  [[198, 51, 100], 24, "private"],
  [[203, 0, 113], 24, "private"],
  [[224], 3, "unroutable"],
];

const classOfIpv4 = (octets: readonly number[]): AddressClass =>
  METADATA_IPV4.has(octets.join(".")) ? "metadata" : findClass(octets, 8, IPV4_RANGES);

// ----------------------------------------------------------------------------------------------------------------- IPv6

/** Google, Oracle, Scaleway, Akamai and Alibaba answer in unique local ranges, which would pass as private; fd00:ec2::/32 is AWS's. */
const METADATA_IPV6: readonly Range[] = [
  [[0xfd00, 0x0ec2], 32, "metadata"],
  [[0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128, "metadata"],
  [[0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe], 128, "metadata"],
  [[0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42], 128, "metadata"],
  [[0xfd00, 0xa9fe, 0xa9fe, 0, 0, 0, 0, 1], 128, "metadata"],
  [[0xfd00, 0x100, 0, 0, 0, 0, 0x100, 0x200], 128, "metadata"],
];

/** In order: the first that holds. 2001:db8::/32 is documentation; fec0::/10 is the site-local range that unique local addresses replaced. */
const IPV6_RANGES: readonly Range[] = [
  ...METADATA_IPV6,
  [[0, 0, 0, 0, 0, 0, 0, 1], 128, "loopback"],
  [[0, 0, 0, 0, 0, 0, 0, 0], 128, "unroutable"],
  [[0x100], 64, "unroutable"],
  [[0x2001, 0x0db8], 32, "private"],
  [[0x2001], 23, "unroutable"],
  [[0x2620, 0x4f, 0x8000], 48, "unroutable"],
  [[0x3fff], 20, "unroutable"],
  [[0x5f00], 16, "unroutable"],
  [[0x64, 0xff9b], 32, "unroutable"],
  [[0xfc00], 7, "private"],
  [[0xfe80], 10, "link-local"],
  [[0xfec0], 10, "private"],
  [[0xff00], 8, "unroutable"],
];

const classOfIpv6 = (parts: readonly number[]): AddressClass => {
  const hidden = hiddenIpv4(parts);
  return hidden ? classOfIpv4(hidden) : findClass(parts, 16, IPV6_RANGES);
};

const isZero = (parts: readonly number[]): boolean => parts.every((part) => part === 0);

/** The IPv4 address inside compatible, mapped, translated, NAT64 (well-known prefix) and 6to4 forms. */
const hiddenIpv4 = (parts: readonly number[]): readonly number[] | null => {
  const last = octetsOf(parts[6]!, parts[7]!);
  if (isZero(parts.slice(0, 6))) return isZero(parts.slice(0, 7)) && parts[7]! <= 1 ? null : last;
  if (isZero(parts.slice(0, 5)) && parts[5] === 0xffff) return last;
  if (isZero(parts.slice(0, 4)) && parts[4] === 0xffff && parts[5] === 0) return last;
  if (parts[0] === 0x64 && parts[1] === 0xff9b && isZero(parts.slice(2, 6))) return last;
  if (parts[0] === 0x2002) return octetsOf(parts[1]!, parts[2]!);
  return null;
};

const octetsOf = (high: number, low: number): readonly number[] => [high >> 8, high & 255, low >> 8, low & 255];

const findClass = (words: readonly number[], wordBits: number, ranges: readonly Range[]): AddressClass =>
  ranges.find(([first, bits]) => isWithin(words, first, { bits, wordBits }))?.[2] ?? "public";

const isWithin = (
  words: readonly number[],
  first: readonly number[],
  { bits, wordBits }: { readonly bits: number; readonly wordBits: number },
): boolean =>
  words.every((word, i) => {
    const counted = Math.min(wordBits, Math.max(0, bits - i * wordBits));
    const shift = wordBits - counted;
    return word >> shift === (first[i] ?? 0) >> shift;
  });
