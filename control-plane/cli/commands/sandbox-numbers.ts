/** Numbers of a command line, or wrong usage. */
import { InvalidArgumentError } from "commander";

export const toNumber = (text: string): number => {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("a number");
  return value;
};

/** 0 to 2^32 - 1, as seeds are. */
export const toWholeNumber = (text: string): number => {
  const value = toNumber(text);
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
    throw new InvalidArgumentError("a whole number from 0 to 4294967295");
  return value;
};
