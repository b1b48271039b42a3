/** The REST-XML that Route 53 speaks: reading request bodies without any entity but the five of XML, and writing answers. Pure. */
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { XML_DEPTH_MAX } from "../limits.ts";

const namespace = "https://route53.amazonaws.com/doc/2013-04-01/";

/** Elements that are lists even when there is one of them. `Region` is a list only inside `Regions`. */
const listPaths = /(^|\.)(Change|ResourceRecord|ChildHealthCheck|ResettableElementName|Regions\.Region)$/;

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  parseTagValue: false,
  trimValues: false,
  processEntities: false,
  maxNestedTags: XML_DEPTH_MAX,
  isArray: (_name, path) => listPaths.test(String(path)),
});

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

const decodeText = (text: string): string =>
  text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(amp|lt|gt|quot|apos));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return entities[name.toLowerCase()] ?? whole;
      const code = Number.parseInt(hex ?? decimal!, hex === undefined ? 10 : 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );

const decodeTree = (node: unknown): unknown => {
  if (typeof node === "string") return decodeText(node);
  if (Array.isArray(node)) return node.map(decodeTree);
  if (typeof node !== "object" || node === null) return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, decodeTree(value)]));
};

export type ParsedXml =
  | { readonly kind: "document"; readonly root: string; readonly content: unknown }
  | { readonly kind: "malformed" };

/** Reads one document. A document type or an entity of its own makes it malformed, whatever it would mean. */
export const parseXml = (text: string): ParsedXml => {
  if (/<!(DOCTYPE|ENTITY|\[CDATA\[)/i.test(text)) return { kind: "malformed" };
  try {
    if (XMLValidator.validate(text) !== true) return { kind: "malformed" };
    const tree: unknown = parser.parse(text);
    const roots = Object.entries(tree as Record<string, unknown>).filter(([name]) => name !== "#text");
    const [root] = roots;
    return roots.length === 1 && root ? { kind: "document", root: root[0], content: decodeTree(root[1]) } : { kind: "malformed" };
  } catch {
    return { kind: "malformed" };
  }
};

/** A node to write: its name, and its text or children. Absent children are left out. */
export type Node = readonly [name: string, content: string | readonly (Node | undefined)[]];

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
// Control characters are not allowed in XML 1.0 at all, escaped or not; ours never carry any on purpose.
const escapeText = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, "").replace(/[&<>"]/g, (character) => escapes[character]!);

const writeNode = ([name, content]: Node): string =>
  `<${name}>${typeof content === "string" ? escapeText(content) : content.map((child) => (child ? writeNode(child) : "")).join("")}</${name}>`;

/** A whole answer, with Route 53's namespace on the root. */
export const writeXml = ([name, content]: Node): string => {
  const written = writeNode([name, content]);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="${namespace}">${written.slice(name.length + 2)}`;
};

/** `["Name", text]` if there is a value; for optional fields. */
export const optionalNode = (name: string, value: string | number | boolean | undefined): Node | undefined =>
  value === undefined ? undefined : [name, String(value)];
