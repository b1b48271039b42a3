/** How much an endpoint carries where its declaration doesn't say. Pure. */
import type { Endpoint, Service } from "@regent/contract";

export interface Size {
  readonly capacity: number;
  readonly headroom: number;
}

/** As much as each of the others that don't say; headroom is algorithms.md §9's phi_o. */
export const sizeOf = ({ capacity = 1, headroom = 1.4 }: Pick<Endpoint, "capacity" | "headroom">): Size => ({
  capacity,
  headroom,
});

export const isSized = ({ endpoints, families = [] }: Pick<Service, "endpoints" | "families">): boolean =>
  endpoints.some(({ capacity, headroom }) => capacity !== undefined || headroom !== undefined) ||
  families.some(({ capacity = {} }) => Object.keys(capacity).length > 0);
