// python-engineio as a child process: python/*.py do what they are told by lines of JSON and tell what happens.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { program } from "./programs.js";
import { PATIENCE, within } from "./wait.js";

export class PythonClient {
  received = [];
  events = []; // everything but messages, in order
  #child;
  #waiting = new Set();
  #stderr = "";

  constructor(kind, url, options) {
    const script = fileURLToPath(new URL(`../python/${kind}_client.py`, import.meta.url));
    this.#child = spawn(program("python"), ["-B", script, url, JSON.stringify(options)], { stdio: "pipe" });
    this.#child.stdin.on("error", () => {}); // its end tells
    this.#child.stderr.setEncoding("utf8").on("data", (s) => (this.#stderr += s));
    createInterface(this.#child.stdout).on("line", (line) => this.#hear(JSON.parse(line)));
    this.ended = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (code, signal) => {
        this.over = true;
        this.#look();
        resolve({ code, signal });
      });
    });
  }

  static async open(kind, url, options) {
    const client = new PythonClient(kind, url, options);
    Object.assign(client, await client.event("connected"));
    return client;
  }

  #hear(line) {
    const [[what, data]] = Object.entries(line);
    if (what === "text" || what === "json") this.received.push(data);
    else if (what === "binary") this.received.push(Buffer.from(data, "base64"));
    else this.events.push([what, data]);
    this.#look();
  }

  #look() {
    for (const look of this.#waiting) look();
  }

  #until(happened, what, ms) {
    let look;
    const done = new Promise((resolve, reject) => {
      look = () => {
        const found = happened();
        if (found !== undefined) resolve(found);
        else if (this.over) reject(new Error(`the client ended before ${what}: ${JSON.stringify(this.events)}\n${this.#stderr}`));
      };
      this.#waiting.add(look);
      look();
    });
    return within(done, `${what} (${this.received.length} messages, ${JSON.stringify(this.events)}, ${this.#stderr})`, ms)
      .finally(() => this.#waiting.delete(look));
  }

  // event waits for an event of the client and returns what it says.
  event(name) {
    return this.#until(() => this.events.find(([what]) => what === name)?.slice(1), name).then(([data]) => data);
  }

  count(n, ms = PATIENCE) {
    return this.#until(() => (this.received.length >= n ? this.received : undefined), `message ${n}`, ms);
  }

  #tell(command) {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  // send sends a string, a Buffer, or anything else as JSON.
  send(data) {
    this.#tell(typeof data === "string" ? { text: data } : Buffer.isBuffer(data) ? { binary: data.toString("base64") } : { json: data });
  }

  async echo(data) {
    const n = this.received.length + 1;
    this.send(data);
    await this.count(n);
    return this.received[n - 1];
  }

  // close disconnects and waits for a peaceful end.
  async close() {
    if (!this.over) this.#tell({ disconnect: null });
    assert.deepEqual(await within(this.ended, "the client to end"), { code: 0, signal: null }, this.#stderr);
    assert.equal(this.#stderr, "");
  }

  kill() {
    this.#child.kill("SIGKILL");
  }
}
