/** Whether a request was meant for this machine: a web page whose name was made to resolve to 127.0.0.1 sends its own name. Pure. */

/** @param host the Host header */
export const isLoopbackHost = (host: string | undefined): boolean =>
  /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i.test(host ?? "");
