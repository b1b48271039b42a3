/**
 * Imported before all else, because the threads are counted at their first use. Half of them resolve names, and each name whose server hangs
 * holds one for as long as the system tries: with the usual four, two such names would leave none for the others.
 */
process.env.UV_THREADPOOL_SIZE ??= "32";
