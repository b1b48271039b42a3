/** open: a single-use address with which a browser signs in to the dashboard. */
import { spawn } from "node:child_process";
import type { Command } from "commander";
import { type CommonOptions, createContext, need, type Terminal, withCommon } from "../context.ts";

export const addOpen = (program: Command, terminal: Terminal): void => {
  withCommon(program.command("open"))
    .description("print an address that signs a browser in, once and within a minute; open it where there is a display")
    .option("--no-browser", "only print it")
    .action(async (options: CommonOptions & { browser: boolean }) => {
      const context = createContext(terminal, options);
      const client = await context.connect();
      const { path, expiresAt } = need(await client.createSignInCode(), context.paint);
      const url = new URL(path, await context.serverUrl()).href;
      context.print({ url, expiresAt }, () => [url]);
      if (options.browser && !context.isJson && hasDisplay(terminal.env)) openBrowser(url);
    });
};

const hasDisplay = (env: NodeJS.ProcessEnv): boolean =>
  process.platform === "darwin" || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);

/** The address stands in the terminal as well, so that a browser that can't be started costs nothing. */
const openBrowser = (url: string): void => {
  const child = spawn(process.platform === "darwin" ? "open" : "xdg-open", [url], { stdio: "ignore", detached: true });
  child.on("error", () => undefined);
  child.unref();
};
