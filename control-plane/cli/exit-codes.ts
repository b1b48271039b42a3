/** What the command's exit code says. Scripts rely on these numbers: add, never change. */
export const EXIT = {
  done: 0,
  /** Refused or failed; the reason is on stderr. */
  refused: 1,
  /** The command line or a file is wrong; nothing was asked for. */
  usage: 2,
  /** Nobody answers at the address. */
  unreachable: 3,
  /** No such service, region, change or home. */
  notFound: 4,
  /** It was sent, and whether it was done can't be told. */
  unknown: 5,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `
Exit codes: 0 done, 1 refused or failed (the reason is on stderr), 2 wrong usage or an invalid file,
            3 nobody answers, 4 not found, 5 sent and not known whether it was done.`;

/** Ends a command with a sentence for stderr and a code. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
