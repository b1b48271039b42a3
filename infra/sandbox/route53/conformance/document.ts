/** Writes docs/ROUTE53.md from the expectations, so that the page and the suite can't disagree. Pure. */
import type { Source } from "./sources.ts";
import type { Expectation, ExpectationGroup } from "./subject.ts";

export const writeDocument = (groups: readonly ExpectationGroup[]): string => {
  const all = groups.flatMap(({ expectations }) => expectations);
  const documented = all.filter(({ source }) => source.kind === "documented");
  const complete = documented.filter(({ source }) => source.kind === "documented" && source.beyond === undefined);
  const kept = all.filter(({ sandboxOnly }) => sandboxOnly !== undefined);
  return [
    head,
    `There are ${all.length} expectations. AWS documents ${documented.length} of them. Of these, ${complete.length} are documented in full; for`,
    "the others the last column says what is expected beyond the document, and where that was seen or why it is",
    `assumed. The other ${all.length - documented.length} are undocumented. ${kept.length} are asked of the sandbox only, and say why.`,
    "",
    readingNotes,
    ...groups.map(writeGroup),
    keptHead,
    ...kept.map((one) => `| ${cell(one.title)} | ${cell(one.sandboxOnly!)} |`),
    "",
  ].join("\n");
};

const head = `# What Regent needs of Route 53

**This suite has not met AWS yet.** It runs against the sandbox in \`infra/sandbox/\` with every \`npm test\`, and
nobody has run it against a real zone. Until somebody has, what follows is read, not seen.

This page is made from \`infra/sandbox/route53/conformance.ts\`; don't edit it. After a change there:
\`npx vitest run --project sandbox route53/conformance.test.ts -u\`.

## Ask a real zone

\`\`\`sh
REGENT_LIVE_ZONE=Z0123456789ABCDEFGHIJ npx vitest run --project sandbox route53/conformance.test.ts
\`\`\`

Credentials are the AWS SDK's usual ones. They need \`ChangeResourceRecordSets\`, \`ListResourceRecordSets\`,
\`GetHostedZone\`, \`GetChange\`, \`GetHealthCheck\` and \`GetHealthCheckStatus\`. A public zone without traffic is best.

- It creates and removes only names below one random label, \`regent-conformance-…\`. A guard on the client
  refuses, before anything is sent, a change of any other name and any other kind of write.
- Each expectation removes its names, after a failure too, and the end of the run removes what is still below
  the label. A run that is killed can't: its first line says the label to look for.
- It prints a transcript, one line of JSON for each call: the expectation served, operation, request and
  answer. No credential, no header and no name outside the label is in it. \`REGENT_LIVE_TRANSCRIPT=file\`
  writes it there instead.
- \`REGENT_LIVE_HEALTH_CHECK=id\` names a health check of the account. It is attached to names below the label
  and else left alone. Without it those expectations are skipped, and listed as skipped.
- It makes some 320 calls, half of them changes, and takes a few minutes. It spends the account's request budget
  meanwhile. A lost answer fails an expectation, because its copy is refused: run it again.

What differs from AWS is a fault of the sandbox: mend it there, then in the expectation. Take the first
paragraph out when all have passed, and say when that was.

## The expectations
`;

const readingNotes = `The API Reference was read as AWS publishes it with its SDK 3.1169.0, ranges in AWS's service model, the
Developer Guide in stored copies of various age. A name with a number, as in kubernetes-sigs/external-dns#1411, is
an issue on GitHub in which Route 53's answer was pasted.
`;

const keptHead = `## Asked of the sandbox only

| expectation | why no real zone is asked |
|---|---|`;

const writeGroup = ({ title, expectations }: ExpectationGroup): string =>
  [
    `### ${title}\n`,
    "| expectation | Regent needs it, because | source |",
    "|---|---|---|",
    ...expectations.map((one) => `| ${titleOf(one)} | ${cell(one.why)} | ${writeSource(one.source)} |`),
    "",
  ].join("\n");

const titleOf = ({ title, sandboxOnly, needsHealthCheck }: Expectation): string =>
  `${cell(title)}${sandboxOnly === undefined ? "" : " *(sandbox only)*"}${needsHealthCheck ? " *(with a health check)*" : ""}`;

const writeSource = (source: Source): string => {
  if (source.kind === "undocumented") return `**undocumented**: ${cell(source.seen)}`;
  const { where, url, says, beyond } = source;
  return `[${cell(where)}](${url}): ${cell(says)}${beyond === undefined ? "" : `. *Beyond that:* ${cell(beyond)}`}`;
};

/** A table's cell: nothing that Markdown would take for its own. */
const cell = (text: string): string => text.replace(/[\\|*_]/g, (character) => `\\${character}`);
