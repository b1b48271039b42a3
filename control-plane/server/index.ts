export { type Config, ConfigError, loadConfig } from "./config.ts";
export { runServer, startServer } from "./main.ts";
