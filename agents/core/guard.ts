/**
 * Which addresses a probe may dial. Pure. The configuration comes over the wire, so an agent must not become a way into its own network:
 * every resolved address is checked, in every form that hides an IPv4 address, and the checked address is what is dialled.
 */
import ipaddr from "ipaddr.js";

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
  if (!ipaddr.isValid(bare)) return "malformed";
  const parsed = ipaddr.parse(bare);
  if (parsed instanceof ipaddr.IPv4) return classOfIpv4(parsed);
  return classOfIpv6(parsed as ipaddr.IPv6);
};

/** Alibaba, Oracle and Azure answer with credentials or configuration at addresses that are not link-local. */
const METADATA_IPV4 = new Set([
  "169.254.169.254",
  "169.254.170.2",
  "169.254.170.23",
  "100.100.100.200",
  "192.0.0.192",
  "168.63.129.16",
]);

const classOfIpv4 = (address: ipaddr.IPv4): AddressClass => {
  if (METADATA_IPV4.has(address.toString())) return "metadata";
  // ipaddr.js takes shorthand such as "127.1"; connect() might read it otherwise.
  switch (address.range()) {
    case "unicast":
      return "public";
    case "loopback":
      return "loopback";
    case "private":
    case "carrierGradeNat":
      return "private";
    case "linkLocal":
      return "link-local";
    case "reserved":
      return address.octets[0]! >= 240 ? "unroutable" : "private";
    default:
      return "unroutable";
  }
};

/** Google, Oracle, Scaleway, Akamai and Alibaba answer in unique local ranges, which would pass as private. */
const METADATA_IPV6 = new Set(["fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42", "fd00:a9fe:a9fe::1", "fd00:100::100:200"]);

const classOfIpv6 = (address: ipaddr.IPv6): AddressClass => {
  const inner = hiddenIpv4(address.parts);
  if (inner !== undefined) return classOfIpv4(inner);
  // fd00:ec2::/32 is where AWS serves instance metadata, time and DNS.
  if (address.parts[0] === 0xfd00 && address.parts[1] === 0x0ec2) return "metadata";
  if (METADATA_IPV6.has(address.toString())) return "metadata";
  // fec0::/10, the site-local range that unique local addresses replaced.
  if ((address.parts[0]! & 0xffc0) === 0xfec0) return "private";
  switch (address.range()) {
    case "unicast":
      return "public";
    case "loopback":
      return "loopback";
    case "uniqueLocal":
      return "private";
    case "reserved":
      // 2001:db8::/32, for documentation; what else is reserved has no route.
      return address.parts[0] === 0x2001 && address.parts[1] === 0x0db8 ? "private" : "unroutable";
    case "linkLocal":
      return "link-local";
    default:
      return "unroutable";
  }
};

const isZero = (parts: readonly number[]): boolean => parts.every((part) => part === 0);

/** The IPv4 address inside compatible, mapped, translated, NAT64 (well-known prefix) and 6to4 forms. */
const hiddenIpv4 = (parts: readonly number[]): ipaddr.IPv4 | undefined => {
  const last = ipv4Of(parts[6]!, parts[7]!);
  if (isZero(parts.slice(0, 6))) return isZero(parts.slice(0, 7)) && parts[7]! <= 1 ? undefined : last;
  if (isZero(parts.slice(0, 5)) && parts[5] === 0xffff) return last;
  if (isZero(parts.slice(0, 4)) && parts[4] === 0xffff && parts[5] === 0) return last;
  if (parts[0] === 0x64 && parts[1] === 0xff9b && isZero(parts.slice(2, 6))) return last;
  if (parts[0] === 0x2002) return ipv4Of(parts[1]!, parts[2]!);
  return undefined;
};

const ipv4Of = (high: number, low: number): ipaddr.IPv4 => new ipaddr.IPv4([high >> 8, high & 255, low >> 8, low & 255]);
