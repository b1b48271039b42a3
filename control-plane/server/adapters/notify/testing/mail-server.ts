/** A mail server on this machine: enough of SMTP for a client that submits, and the faults that real ones have. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { ReceiverFault } from "./web-receiver.ts";

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** Headers and text as they came, with `\n` for the ends of lines. */
  readonly text: string;
  /** `user password` of the login, null without one. */
  readonly login: string | null;
}

export interface MailServer {
  readonly port: number;
  readonly taken: readonly Mail[];
  readonly set: (fault: ReceiverFault | null) => Promise<void>;
  readonly close: () => Promise<void>;
}

const SLOW_MS = 120;

export interface MailServerOptions {
  /** Says that it speaks STARTTLS, and answers it with bytes that are no TLS. */
  readonly offersTls?: boolean;
  /** What it answers to these recipients. */
  readonly refuses?: Map<string, string>;
}

export const startMailServer = async ({
  offersTls = false,
  refuses = new Map(),
}: MailServerOptions = {}): Promise<MailServer> => {
  const taken: Mail[] = [];
  const sockets = new Set<Socket>();
  let fault: ReceiverFault | null = null;

  const talk = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
    socket.setEncoding("utf8");
    const say = (line: string): void => {
      socket.write(`${line}\r\n`);
    };
    let [buffer, from, login]: [string, string, string | null] = ["", "", null];
    let to: string[] = [];
    let isText = false;
    const takeText = (text: string): string => {
      isText = false;
      if (fault === "error") return "451 4.3.0 try again";
      if (fault === "refuse") return "554 5.7.1 refused";
      taken.push({ from, to, login, text: text.replaceAll("\r\n", "\n").replace(/^\.\./gm, ".") });
      return "250 2.0.0 taken";
    };
    const command = (line: string): string => {
      const [verb = "", rest = ""] = [line.slice(0, 4).toUpperCase(), line.slice(5)];
      switch (verb) {
        case "EHLO":
          if (fault === "busy") return "421 4.7.0 too many of you";
          return ["250-test", ...(offersTls ? ["250-STARTTLS"] : []), "250 AUTH PLAIN"].join("\r\n");
        case "STAR":
          return "220 go on\r\nthis is no handshake";
        case "AUTH":
          login = Buffer.from(rest.split(" ")[1] ?? "", "base64")
            .toString("utf8")
            .split("\0")
            .slice(1)
            .join(" ");
          return login.endsWith(" wrong") ? "535 5.7.8 no" : "235 2.7.0 yes";
        case "MAIL":
          from = /<([^>]*)>/.exec(rest)?.[1] ?? "";
          to = [];
          return "250 2.1.0 ok";
        case "RCPT": {
          const address = /<([^>]*)>/.exec(rest)?.[1] ?? "";
          const refusal = refuses.get(address);
          if (refusal === undefined) to.push(address);
          return refusal ?? "250 2.1.5 ok";
        }
        case "DATA":
          isText = true;
          return "354 go on";
        case "QUIT":
          return "221 bye";
        default:
          return "250 ok";
      }
    };
    socket.on("data", (chunk: string) => {
      if (fault === "hang") return;
      buffer += chunk;
      for (;;) {
        const end = isText ? buffer.indexOf("\r\n.\r\n") : buffer.indexOf("\r\n");
        if (end < 0) return;
        const piece = buffer.slice(0, end);
        buffer = buffer.slice(end + (isText ? 5 : 2));
        say(isText ? takeText(piece) : command(piece));
      }
    });
    if (fault === "garbage") socket.end("\0\x01 no greeting\r\n");
    if (fault === "garbage" || fault === "hang") return;
    setTimeout(() => say("220 test"), fault === "slow" ? SLOW_MS : 0);
  };

  const server: Server = createServer(talk);
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    taken,
    set: async (next) => {
      if (next === "down" && fault !== "down") await close();
      if (next !== "down" && fault === "down") await listen(port);
      fault = next;
    },
    close: async () => {
      if (fault !== "down") await close();
    },
  };
};
