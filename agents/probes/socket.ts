/** Opens the connection that a probe talks over: TCP, and TLS with the certificate checked against the declared name. */
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, rootCertificates, type TLSSocket } from "node:tls";

export interface TlsWish {
  /** The name or address that the certificate must be for. */
  readonly name: string;
  readonly ca: readonly string[];
}

export const openTcp = ({ ip, port }: { ip: string; port: number }): Socket => connectTcp({ host: ip, port, noDelay: true });

/** Server name indication can't carry an IP address (RFC 6066), the certificate check can. */
export const tlsOptions = ({ name, ca }: TlsWish) => ({
  ...(isIP(name) > 0 ? {} : { servername: name }),
  ...(ca.length > 0 ? { ca: [...rootCertificates, ...ca] } : {}),
  rejectUnauthorized: true,
  checkServerIdentity: (_: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
    checkServerIdentity(name, certificate),
});

export const openTls = ({ ip, port }: { ip: string; port: number }, wish: TlsWish): TLSSocket =>
  connectTls({ host: ip, port, ...tlsOptions(wish) });

/** Speaks TLS over a connection that is already open. */
export const upgradeTls = (socket: Socket, wish: TlsWish): TLSSocket => connectTls({ socket, ...tlsOptions(wish) });
