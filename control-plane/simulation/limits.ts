/** What a rehearsal may cost. A file is somebody's text: a typing error must end in a sentence, not in an hour of a core. */

/** Virtual time of one rehearsal, ms: a week shows every timer of every profile. */
export const REHEARSAL_MS_MAX = 7 * 86_400_000;
/** Probes and reports that one rehearsal may need by its declaration; a hundred million take some minutes of a core. */
export const REHEARSAL_EVENTS_MAX = 100_000_000;
export const REHEARSAL_LINES_MAX = 500;
export const REHEARSAL_NOTATION_MAX = 2_000;
/** Parts of one notation. */
export const REHEARSAL_PARTS_MAX = 200;
/** The grain of a timeline, ms. */
export const REHEARSAL_STEP_MS_MIN = 100;
export const REHEARSAL_STEP_MS_MAX = 3_600_000;

/** Before the timeline everything passes for so long, so that it meets an installation that is up: first verdicts, first write, settled streaks. */
export const WARM_UP_MS = 120_000;
