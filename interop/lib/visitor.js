// A person with a browser behind a proxy: official clients that come back when their connection ends.

import assert from "node:assert/strict";
import http from "node:http";
import { Client, mixed, modes, same } from "./client.js";
import { Client3 } from "./client3.js";
import { within } from "./wait.js";

// A Browser keeps the cookies of one host. engine.io-client 3 keeps none in Node, and 6 a session's.
export class Browser extends http.Agent {
  #cookies = new Map();

  addRequest(req, options) {
    const known = Array.from(this.#cookies, ([name, value]) => `${name}=${value}`);
    if (known.length > 0) req.setHeader("Cookie", known.join("; "));
    const keep = ({ headers }) => {
      for (const line of headers["set-cookie"] ?? []) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
        this.#cookies.set(name, value);
      }
    };
    req.prependOnceListener("response", keep);
    req.prependOnceListener("upgrade", keep);
    super.addRequest(req, options);
  }
}

export const kinds = { "client 6": Client, "client 3": Client3 };

export class Visitor {
  visits = []; // { client, node, sent, heard, reason }, the last is under way
  failures = 0; // attempts that did not open
  fault = null;
  #talking = false;
  #leaving = false;
  #coming = null; // back
  #waiting = new Set();

  constructor(url, kind, mode, browser = new Browser()) {
    this.url = url;
    this.kind = kind;
    this.mode = mode;
    this.browser = browser;
  }

  static async come(...args) {
    const visitor = new Visitor(...args);
    await visitor.#open();
    return visitor;
  }

  get node() {
    return this.visits.at(-1)?.node;
  }

  get name() {
    return `${this.kind} ${this.mode} on ${this.node}`;
  }

  async #open() {
    const client = await kinds[this.kind].in(this.mode, this.url, { agent: this.browser });
    const visit = { client, node: await client.echo("node"), heard: 0, sent: 0, reason: null };
    client.socket.on("message", (data) => this.#hear(visit, data ?? ""));
    client.socket.on("close", (reason) => this.#lose(visit, reason));
    this.visits.push(visit);
    if (client.closed) this.#lose(visit, client.closed[0]);
    else if (this.#talking) this.#say(visit);
    this.#look();
  }

  // talk sends, and goes on to send whenever an answer has come, on this visit and all that follow.
  talk() {
    this.#talking = true;
    this.#say(this.visits.at(-1));
  }

  #say(visit) {
    while (visit.sent < visit.heard + 2) visit.client.send(mixed(1, visit.sent++)[0]);
  }

  #hear(visit, data) {
    try {
      same([data], mixed(1, visit.heard));
    } catch (err) {
      this.fault ??= err;
    }
    visit.heard++;
    if (this.#talking) this.#say(visit);
    this.#look();
  }

  // hush stops the talk and waits for the last answers.
  hush() {
    this.#talking = false;
    return this.#until(() => this.visits.at(-1).heard === this.visits.at(-1).sent, "its last answers");
  }

  #lose(visit, reason) {
    if (visit.reason !== null) return;
    visit.reason = reason;
    this.#look();
    if (!this.#leaving) this.#coming = this.#comeBack();
  }

  // comeBack tries again and again, as Socket.IO does.
  async #comeBack() {
    while (!this.#leaving) {
      try {
        return await this.#open();
      } catch {
        this.failures++;
      }
    }
  }

  // hears waits for n more answers.
  hears(n) {
    const goal = this.#heard + n;
    return this.#until(() => this.#heard >= goal, `${n} more answers`);
  }

  get #heard() {
    return this.visits.reduce((sum, { heard }) => sum + heard, 0);
  }

  // lost waits until its first connection has ended.
  lost() {
    return this.#until(() => this.visits[0].reason !== null, "the end of its first connection");
  }

  // returned waits until it has lost its first connection, has another, and hears on it.
  returned() {
    return this.#until(() => this.visits.length > 1 && this.visits.at(-1).heard >= 10, "it to come back");
  }

  #until(happened, what) {
    let look;
    const seen = new Promise((resolve, reject) => {
      look = () => {
        if (this.fault) reject(this.fault);
        else if (happened()) resolve();
      };
      this.#waiting.add(look);
      look();
    });
    return within(seen, what)
      .catch((err) => {
        const visits = this.visits.map(({ node, sent, heard, reason }) => `${node} ${sent} ${heard} ${reason}`);
        err.message = `${this.name}: ${err.message}; ${visits.join(", ")}; ${this.failures} failures`;
        throw err;
      })
      .finally(() => this.#waiting.delete(look));
  }

  #look() {
    for (const look of this.#waiting) look();
  }

  // undisturbed fails when anything has gone wrong since it came.
  undisturbed() {
    assert.equal(this.fault, null, `${this.name}: ${this.fault}`);
    assert.deepEqual([this.visits.length, this.visits[0].reason, this.failures], [1, null, 0], this.name);
  }

  async leave() {
    this.#leaving = true;
    await this.#coming;
    await this.visits.at(-1).client.close();
  }
}
