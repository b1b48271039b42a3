// The node-linux-* packages publish `os` and `cpu` as strings; pnpm 12 wants arrays and would install the wrong machine's Node.
const toArray = (value) => (typeof value === "string" ? [value] : value);

module.exports = {
  hooks: {
    readPackage(manifest) {
      if (/^node-(linux|darwin|win)-/.test(manifest.name ?? "")) {
        manifest.os = toArray(manifest.os);
        manifest.cpu = toArray(manifest.cpu);
      }
      return manifest;
    },
  },
};
