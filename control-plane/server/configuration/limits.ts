/** What a declaration may cost to read. Sizes of its parts are limited by the contract's schema. */

/** A thousand services with everything spelled out are about 1 MiB; a larger file is a mistake or an attack. */
export const DECLARATION_BYTES_MAX = 1024 * 1024;

/** Uses of anchored values in all. A reviewed file needs a handful; "billion laughs" needs many. */
export const DECLARATION_ALIASES_MAX = 100;

/** How deep lists and maps may nest. Ours need 8; parsers recurse, and a deep enough file would end the process's stack. */
export const DECLARATION_DEPTH_MAX = 40;

/** Errors told at once: nobody reads more, and an answer must stay small whatever was sent. */
export const DECLARATION_ERRORS_MAX = 100;

/** Rounds of taking invalid parts out so that the rest can be cross-checked; each goes one level up, and the schema has 8 levels. */
export const SALVAGE_ROUNDS_MAX = 12;

/** Longer words are never close to a known one, and edit distance costs their product. */
export const SUGGESTION_LENGTH_MAX = 64;

/** Assignments of one agent, as its configuration's schema allows. */
export const ASSIGNMENTS_PER_AGENT_MAX = 2_000;
