/** The built dashboard in memory: what its build manifest names, and nothing else, so that no path can lead anywhere else. */
import { existsSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import * as z from "zod";

export interface DashboardFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  /** Its name carries a digest of its content. */
  readonly isImmutable: boolean;
}

/** Vite's `.vite/manifest.json`: each chunk with the files that belong to it. */
const Manifest = z.record(
  z.string(),
  z.looseObject({ file: z.string(), css: z.array(z.string()).optional(), assets: z.array(z.string()).optional() }),
);

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
};

/** By URL path. Empty when there is no build. Throws when the build is broken: a file that the manifest names isn't there. */
export const readDashboard = (staticDir: string | undefined): ReadonlyMap<string, DashboardFile> => {
  const manifestPath = staticDir === undefined ? "" : join(staticDir, ".vite", "manifest.json");
  if (staticDir === undefined || !existsSync(manifestPath) || !existsSync(join(staticDir, "index.html"))) return new Map();
  const chunks = Object.values(Manifest.parse(JSON.parse(readFileSync(manifestPath, "utf8"))));
  const names = new Set(chunks.flatMap(({ file, css = [], assets = [] }) => [file, ...css, ...assets]));
  const files = new Map([...names].map((name) => [`/${name}`, readOne(staticDir, name, true)] as const));
  files.set("/", readOne(staticDir, "index.html", false));
  return files;
};

const readOne = (staticDir: string, name: string, isImmutable: boolean): DashboardFile => ({
  bytes: new Uint8Array(readFileSync(join(staticDir, name))),
  contentType: CONTENT_TYPES[extname(name)] ?? "application/octet-stream",
  isImmutable,
});
