/** Reads files that hold secrets. One that its group or others can read is refused, so that a leak is noticed at the start. */
import { open } from "node:fs/promises";

export const readPrivateFile = async (path: string): Promise<string> => {
  const file = await open(path, "r");
  try {
    const { mode, size } = await file.stat();
    if ((mode & 0o077) !== 0) throw new Error(`${path} can be read by others: chmod 600 ${path}`);
    if (size > PRIVATE_FILE_BYTES_MAX) throw new Error(`${path} is larger than ${PRIVATE_FILE_BYTES_MAX} bytes`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
};

/** Keys take a line, a secrets file a few hundred bytes for each database. */
const PRIVATE_FILE_BYTES_MAX = 256 * 1024;
