import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The control plane serves only what the manifest lists; nothing is inlined, because its content security policy allows no inline code.
export default defineConfig({
  plugins: [react()],
  build: { manifest: true, outDir: "dist/site", emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
