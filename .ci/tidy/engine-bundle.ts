/** What of the engine is left when its types are gone: nothing but the engine may be in it. */
import { build, type Metafile } from "esbuild";
import type { Violation } from "./tree.ts";
import { ROOT } from "./tree.ts";

/** Every way in that others use. */
export const bundleEngine = async (entryPoints: readonly string[]): Promise<Metafile> => {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [...entryPoints],
    bundle: true,
    write: false,
    outdir: "dist",
    format: "esm",
    platform: "neutral",
    metafile: true,
    logLevel: "silent",
  });
  return metafile;
};

export const findForeignInputs = ({ inputs, outputs }: Pick<Metafile, "inputs" | "outputs">): readonly Violation[] => [
  ...Object.keys(inputs)
    .filter((path) => !path.startsWith("control-plane/engine/"))
    .map((path) => `${path}: is in the engine's bundle; the engine may take only types from elsewhere`),
  ...Object.values(outputs).flatMap(({ imports }) =>
    imports.filter(({ external }) => external).map(({ path }) => `${path}: stays imported by the engine's bundle`),
  ),
];
