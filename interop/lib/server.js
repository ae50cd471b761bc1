// The servers under test: the example programs, built here or given by ECHO_BIN and CHAT_BIN.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { within } from "./wait.js";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const clientDir = fileURLToPath(new URL("../node_modules/engine.io-client/dist", import.meta.url));

const built = new Map();

// binary returns the path of an example program, built once per test file. GOFLAGS=-race is honoured.
export function binary(name) {
  const given = process.env[`${name.toUpperCase()}_BIN`];
  if (given) return Promise.resolve(given);
  if (!built.has(name)) built.set(name, build(name));
  return built.get(name);
}

async function build(name) {
  const dir = await mkdtemp(join(tmpdir(), `interop-${name}-`));
  process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
  const out = join(dir, name);
  await promisify(execFile)("go", ["build", "-o", out, `./examples/${name}`], { cwd: root });
  return out;
}

// All tests run on both ways to own a WebSocket's connection; see engineio.Tune.
const tuned = Boolean(process.env.ENGINEIO_TUNED);

export class Server {
  #process;
  #exit;
  #stderr = "";
  #ended = false;

  static async start(name, args) {
    const server = new Server();
    await server.#start(await binary(name), name === "echo" && tuned ? ["-tuned", ...args] : args);
    return server;
  }

  async #start(bin, args) {
    const child = spawn(bin, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    child.stderr.setEncoding("utf8").on("data", (s) => (this.#stderr += s));
    this.#exit = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => {
        this.#ended = true;
        resolve({ code, signal });
      });
    });
    const listening = new Promise((resolve) => {
      createInterface(child.stdout).on("line", (line) => {
        const found = /^listening on (?:http:\/\/)?(\S+:(\d+))/.exec(line);
        if (found) resolve(found);
      });
    });
    const ended = this.#exit.then((how) => {
      throw new Error(`server ended before it listened: ${JSON.stringify(how)}\n${this.#stderr}`);
    });
    ended.catch(() => {}); // it ends some day, when nobody waits here
    const [, host, port] = await within(Promise.race([listening, ended]), "the server to listen", 60_000);
    this.host = host;
    this.port = Number(port);
    this.url = `http://${host}`;
  }

  // memory is a line of /proc/<pid>/status, in bytes: VmRSS is what the process has, VmHWM the most it ever had.
  async memory(line) {
    const status = await readFile(`/proc/${this.#process.pid}/status`, "utf8");
    return Number(new RegExp(`^${line}:\\s+(\\d+) kB$`, "m").exec(status)[1]) * 1024;
  }

  // terminate sends SIGTERM and returns when the process is gone; it must be gone in peace.
  async terminate() {
    this.#process.kill("SIGTERM");
    const { code, signal } = await within(this.#exit, "the server to end after SIGTERM", 30_000).catch(async (err) => {
      this.#process.kill("SIGQUIT"); // Go then says what every goroutine is waiting for
      await this.#exit;
      err.message += `\n${this.#stderr}`;
      throw err;
    });
    assert.equal(this.trouble(), "", "the server's stderr");
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, `exit status; stderr: ${this.#stderr}`);
  }

  // stop is terminate for a server that may have been terminated by the test already.
  async stop() {
    if (this.#ended) return;
    try {
      await this.terminate();
    } finally {
      if (!this.#ended) this.#process.kill("SIGKILL");
    }
  }

  // trouble returns what nobody wants to see in a server's log.
  trouble() {
    return /panic|DATA RACE|fatal error/i.test(this.#stderr) ? this.#stderr : "";
  }
}

export const startEcho = (...flags) => Server.start("echo", ["-addr", "127.0.0.1:0", ...flags]);

export const startChat = (addr = "127.0.0.1:0") => Server.start("chat", ["-addr", addr, "-client", clientDir]);

export const stacks = process.env.STACKS?.split(",") ?? ["fasthttp", "fiber"];
