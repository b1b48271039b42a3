/**
 * Loaded before the example hook where `regent up` or a test runs it: an example stands outside every package, and finds `postgres` in its
 * reader's own node_modules. Here it takes ours. Plain JavaScript, as it is loaded before anything else.
 */
import { registerHooks } from "node:module";

registerHooks({
  resolve: (name, context, next) => next(name, name === "postgres" ? { ...context, parentURL: import.meta.url } : context),
});
