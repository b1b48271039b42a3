/** The database can't be reached or can't take this now. Whether the statement was done is unknown: read again before acting on it. */
export class DatabaseAway extends Error {
  override readonly name = "DatabaseAway";
  /** The code that told: SQLSTATE, driver or socket code. */
  readonly code: string;

  constructor(code: string, cause: unknown) {
    super(`The database is away (${code}).`, { cause });
    this.code = code;
  }
}
