/**
 * Where an expectation comes from, as data that docs/ROUTE53.md is made of. `documented` is said only of what was found in a document
 * of AWS; what a document leaves open is told beside it.
 */
export type Source =
  | {
      readonly kind: "documented";
      /** Document, page and section. */
      readonly where: string;
      readonly url: string;
      /** What it says there, in our words. */
      readonly says: string;
      /** What the expectation holds beyond that, and where it was observed or why it is assumed. */
      readonly beyond?: string;
    }
  | {
      readonly kind: "undocumented";
      /** Where it was observed, or why it is assumed. */
      readonly seen: string;
    };

const API = "https://docs.aws.amazon.com/Route53/latest/APIReference";
const GUIDE = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide";

export interface Said {
  readonly section: string;
  readonly says: string;
  readonly beyond?: string;
}

/** A page of the Route 53 API Reference, by the name of its operation or type. */
export const apiReference = (page: string, { section, ...said }: Said): Source => ({
  kind: "documented",
  where: `API Reference, ${page}, ${section}`,
  url: `${API}/API_${page}.html`,
  ...said,
});

const guidePages = {
  "DNS domain name format": "DomainNameFormat",
  Quotas: "DNSLimitations",
  "Supported DNS record types": "ResourceRecordTypes",
  "Values specific for weighted records": "resource-record-sets-values-weighted",
  "Choosing between alias and non-alias records": "resource-record-sets-choosing-alias-non-alias",
  "NS and SOA records that Amazon Route 53 creates for a public hosted zone": "SOA-NSrecords",
} as const;

/** A page of the Route 53 Developer Guide, by its title. */
export const developerGuide = (title: keyof typeof guidePages, { section, ...said }: Said): Source => ({
  kind: "documented",
  where: `Developer Guide, ${title}, ${section}`,
  url: `${GUIDE}/${guidePages[title]}.html`,
  ...said,
});

/** Nothing of AWS was found that says it. */
export const undocumented = (seen: string): Source => ({ kind: "undocumented", seen });

/** A DELETE is compared with what is there: what every compare-and-swap rests on. */
export const deleteMustMatch = (beyond: string): Source =>
  apiReference("ChangeResourceRecordSets", {
    section: "Deleting Resource Record Sets",
    says: "a DELETE must specify all the same values that were specified at creation",
    beyond,
  });

export const allOrNothing = (beyond?: string): Source =>
  apiReference("ChangeResourceRecordSets", {
    section: "Change Batches and Transactional Changes",
    says: "a batch is validated and then either all or none of its changes are made, DELETE and CREATE of one name in a single operation",
    ...(beyond === undefined ? {} : { beyond }),
  });
