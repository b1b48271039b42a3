/** What a socket error says about the target, or about us. Used by every probe that dials. */
import type { Outcome, Reason } from "@regent/contract";

/** How far the exchange had come when it ended. */
export type Stage = "connect" | "tls" | "answer";

export interface Finding {
  readonly outcome: Outcome;
  readonly reason: Reason;
}

const fail = (reason: Reason): Finding => ({ outcome: "fail", reason });
const ours = (reason: Reason): Finding => ({ outcome: "unknown", reason });

const UNTRUSTED = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
  "CERT_REVOKED",
  "CERT_NOT_YET_VALID",
  "CERT_CHAIN_TOO_LONG",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "CERT_SIGNATURE_FAILURE",
  "HOSTNAME_MISMATCH",
]);

export const findingOf = (error: NodeJS.ErrnoException, stage: Stage): Finding => {
  const code = error.code ?? "";
  if (code === "CERT_HAS_EXPIRED") return fail("tls_expired");
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return fail("tls_hostname");
  if (UNTRUSTED.has(code)) return fail("tls_untrusted");
  if (code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_") || code === "EPROTO") return fail("tls_handshake");
  switch (code) {
    case "ECONNREFUSED":
      return fail("tcp_refused");
    case "ETIMEDOUT":
      return stage === "connect" ? fail("tcp_timeout") : fail("tcp_reset");
    case "ECONNRESET":
    case "EPIPE":
    case "ECONNABORTED":
      return stage === "tls" ? fail("tls_handshake") : fail("tcp_reset");
    case "ENETUNREACH":
    case "EHOSTUNREACH":
    case "ENETDOWN":
    case "EHOSTDOWN":
      return fail("net_unreachable");
    // Out of sockets, ports or memory: nothing was learnt about the target.
    case "EMFILE":
    case "ENFILE":
    case "ENOBUFS":
    case "ENOMEM":
    case "EADDRNOTAVAIL":
    case "EADDRINUSE":
      return ours("agent_overloaded");
    case "EACCES":
    case "EPERM":
      return ours("blocked");
    default:
      return ours("probe_bug");
  }
};

/** The deadline passed at this stage. */
export const lateFinding = (stage: Stage): Finding => {
  switch (stage) {
    case "connect":
      return fail("tcp_timeout");
    case "tls":
      return fail("tls_handshake");
    case "answer":
      return fail("http_timeout");
  }
};
