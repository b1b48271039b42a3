/** Which types the endpoints publish, always in the order A, AAAA, CNAME. Pure. */
import type { Endpoint, RecordType } from "@regent/contract";

const TYPES: readonly RecordType[] = ["A", "AAAA", "CNAME"];

export const toTypes = (endpoints: readonly Endpoint[]): RecordType[] =>
  TYPES.filter((type) => endpoints.some((endpoint) => endpoint[type] !== undefined));
