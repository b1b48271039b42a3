/** Which addresses a probe may dial: the same rules for agents and for what the server tells others, so they stand in the contract. */
export { type AddressClass, classOf, type GuardRules, type GuardVerdict, guardAddresses } from "@regent/contract";
