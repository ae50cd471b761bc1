// A program that a test starts, signals and sees end.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { within } from "./wait.js";

// A test that fails before it has stopped them does not wait for them, and none outlives it.
const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill()));

export class Child {
  stderr = "";
  #process;
  #name;
  #told = [];
  #waiting = new Set();

  constructor(name, bin, args) {
    this.#name = name;
    this.#process = spawn(bin, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.ended = new Promise((resolve) => {
      this.#process.once("error", (err) => {
        this.stderr += err.message;
        resolve({ code: null, signal: null, err });
      });
      this.#process.once("close", (code, signal) => resolve({ code, signal }));
    });
    running.add(this.#process);
    for (const handle of [this.#process, this.#process.stdout, this.#process.stderr]) handle.unref();
    this.ended.then(() => {
      running.delete(this.#process);
      this.over = true;
      this.#look();
    });
    createInterface(this.#process.stdout).on("line", (line) => this.#hear(line));
    createInterface(this.#process.stderr).on("line", (line) => {
      this.stderr += `${line}\n`;
      this.#hear(line);
    });
  }

  #hear(line) {
    this.#told.push(line);
    this.#look();
  }

  #look() {
    for (const look of this.#waiting) look();
  }

  // says waits for a line of its output, and returns the match. Its end before that is an error.
  says(pattern, ms) {
    let look;
    const said = new Promise((resolve, reject) => {
      look = () => {
        const found = this.#told.map((line) => pattern.exec(line)).find(Boolean);
        if (found) resolve(found);
        else if (this.over) reject(new Error(`${this.#name} ended before it said ${pattern}:\n${this.stderr}`));
      };
      this.#waiting.add(look);
      look();
    });
    return within(said, `${this.#name} to say ${pattern}`, ms).finally(() => this.#waiting.delete(look));
  }

  signal(name) {
    this.#process.kill(name);
  }

  // kill is the end without a word.
  async kill() {
    this.signal("SIGKILL");
    await within(this.ended, `${this.#name} to be killed`);
  }

  // end sends a signal and wants exit status 0, and nothing in the log that matches trouble.
  async end(name, trouble) {
    this.signal(name);
    const { code, signal } = await within(this.ended, `${this.#name} to end after ${name}`).catch(async (err) => {
      this.signal("SIGQUIT"); // Go then says what every goroutine is waiting for
      await within(this.ended, "the end").catch(() => this.kill());
      err.message += `\n${this.stderr}`;
      throw err;
    });
    assert.doesNotMatch(this.stderr, trouble);
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, `exit status of ${this.#name}: ${this.stderr}`);
  }
}
