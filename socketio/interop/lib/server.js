// The echo server of this module, built here or given by SOCKETIO_ECHO_BIN. GOFLAGS=-race is honoured.

import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Child } from "../../../interop/lib/child.js";

const module = fileURLToPath(new URL("../..", import.meta.url));
const tuned = Boolean(process.env.ENGINEIO_TUNED);
const TROUBLE = /panic|DATA RACE|fatal error/i;

let built;

export function binary() {
  built ??= process.env.SOCKETIO_ECHO_BIN ? Promise.resolve(process.env.SOCKETIO_ECHO_BIN) : build();
  return built;
}

async function build() {
  const dir = await mkdtemp(join(tmpdir(), "socketio-echo-"));
  process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
  const out = join(dir, "echo");
  await promisify(execFile)("go", ["build", "-o", out, "./echo"], { cwd: module });
  return out;
}

export const stacks = process.env.STACKS?.split(",") ?? ["fasthttp", "fiber", "fiberv3"];

export class Server {
  // start waits until it listens; its clients have as long as it takes to join a namespace.
  static async start(...flags) {
    const server = new Server();
    const args = ["-addr", "127.0.0.1:0", "-connect-timeout", "45s", ...(tuned ? ["-tuned"] : []), ...flags];
    server.child = new Child("echo", await binary(), args);
    [, server.host] = await server.child.says(/^listening on (\S+)/, 60_000);
    server.url = `http://${server.host}`;
    return server;
  }

  // stop ends it in peace.
  async stop() {
    if (!this.child.over) await this.child.end("SIGTERM", TROUBLE);
  }
}
