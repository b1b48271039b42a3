/** What must never be committed: places of somebody's machine, hosts to install from, secrets. */
import { lineOf, type SourceFile, type Violation } from "./tree.ts";

interface Leak {
  readonly pattern: RegExp;
  readonly what: string;
  readonly in?: RegExp;
}

const LEAKS: readonly Leak[] = [
  // In words of its own, so that this file doesn't find itself.
  { pattern: /(?<![\w.@~-])\/(?:work|root|Users)\/[\w.-]+/g, what: "a path of one machine" },
  { pattern: /(?<![\w.@~-])\/home\/(?!node\b|regent\b|somebody\b)[\w.-]+/g, what: "a path of one machine" },
  { pattern: /\b(?:registry|npm|packages?|mirror)s?\.[a-z0-9-]+\.(?:org|com|io|dev|net)\b/g, what: "a host to install from" },
  {
    pattern: /^\s*(?:tarball|registry)\s*[:=]/gm,
    what: "a host to install from",
    in: /(^|\/)(\.npmrc|pnpm-lock\.yaml|pnpm-workspace\.yaml)$/,
  },
  { pattern: /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*(?:\\n)?[A-Za-z0-9+/=]{20,}/g, what: "a private key" },
  { pattern: /\b(?:AKIA|ASIA)[A-Z2-7]{9}(?!EXAMPLE)[A-Z2-7]{7}\b/g, what: "an AWS access key" },
  { pattern: /\b(?:ghp|gho|ghs|ghu|glpat|xox[abprs]|npm)[_-][A-Za-z0-9-]{30,}\b/g, what: "an access token" },
  { pattern: /\bgithub_pat_\w{30,}/g, what: "an access token" },
  { pattern: /\beyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{15,}/g, what: "a signed web token" },
];

const FORBIDDEN_FILE = /(^|\/)(\.env(\..+)?|\.npmrc|\.netrc|\.pgpass|id_[a-z0-9]+|credentials|.+\.(pem|key|p12|pfx|kdbx))$/;

/** Says where and what kind, never the text itself. */
export const findLeaks = (files: readonly SourceFile[]): readonly Violation[] =>
  files.flatMap(({ path, text }) => [
    ...(FORBIDDEN_FILE.test(path) ? [`${path}: a file of this name must not be committed`] : []),
    ...LEAKS.filter((leak) => leak.in?.test(path) ?? true).flatMap(({ pattern, what }) =>
      [...text.matchAll(pattern)].map((found) => `${path}:${lineOf(text, found.index)}: holds ${what}`),
    ),
  ]);
