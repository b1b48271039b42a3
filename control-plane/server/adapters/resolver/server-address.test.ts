import { describe, expect, test } from "vitest";
import { isSameHost, parseServerAddress, writeServerAddress } from "./server-address.ts";

describe("server addresses", () => {
  test.for([
    ["192.0.2.1", "192.0.2.1:53"],
    ["192.0.2.1:5353", "192.0.2.1:5353"],
    ["2001:db8::1", "[2001:db8::1]:53"],
    ["[2001:db8::1]:5353", "[2001:db8::1]:5353"],
    ["[2001:db8::1]", "[2001:db8::1]:53"],
  ] as const)("%s is %s", ([text, written]) => expect(writeServerAddress(parseServerAddress(text)!)).toBe(written));

  test.for(["", "ns.example.com", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.256", "192.0.2.1:53:53", "[192.0.2.1", "1.2.3.4:"])(
    "%j is none",
    (text) => expect(parseServerAddress(text)).toBeNull(),
  );

  test("one host has many spellings", () => {
    expect(isSameHost("2001:db8:0::1", "2001:DB8::1")).toBe(true);
    expect(isSameHost("fe80::1%eth0", "fe80::1")).toBe(true);
    expect(isSameHost("192.0.2.1", "192.0.2.10")).toBe(false);
  });
});
