/** Limits of the memory DNS twin, each with its reason. Those marked (service) are Route 53's own. */

/** (service) Values of one batch, an alias counting as one. */
export const BATCH_ELEMENTS_MAX = 1_000;
/** (service) Characters of all values of one batch. */
export const BATCH_CHARACTERS_MAX = 32_000;
/** (service) Members of one weighted, latency, geolocation or multivalue group. */
export const GROUP_MEMBERS_MAX = 100;
/** Versions of a zone kept for slow name servers; an older one than these has long been everywhere. */
export const ZONE_VERSIONS_MAX = 256;
/** Changes that are remembered; an older one is missing, as in Route 53. */
export const CHANGES_MAX = 10_000;
/** CNAME and alias steps of one answer; more is a loop. */
export const CHAIN_LENGTH_MAX = 8;
