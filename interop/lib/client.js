// engine.io-client 6 with what the tests ask of it: a record of what arrived, and ways to wait for it.

import assert from "node:assert/strict";
import { Fetch, Socket, WebSocket, NodeWebSocket } from "engine.io-client";
import { event, within, PATIENCE } from "./wait.js";

// The three ways a client connects.
export const modes = {
  polling: { options: { transports: ["polling"] }, ends: "polling" },
  websocket: { options: { transports: ["websocket"] }, ends: "websocket" },
  upgrade: { options: { transports: ["polling", "websocket"] }, ends: "websocket" },
};

// More ways to poll than XMLHttpRequest: fetch keeps its connections alive, as browsers do.
export const fetchPolling = { transports: [Fetch] };
export const fetchUpgrade = { transports: [Fetch, NodeWebSocket ?? WebSocket] };

export class Client {
  static Socket = Socket; // of the engine.io-client that it is
  received = [];
  closed = null; // [reason, details]
  upgrades = []; // names of the transports it went to
  upgradeErrors = [];
  #waiting = [];

  constructor(url, options) {
    this.socket = new this.constructor.Socket(url, { ...options }); // version 3 writes into its options
    this.opened = new Promise((resolve, reject) => {
      this.socket.once("open", resolve);
      this.socket.once("close", (reason, details) => reject(closeError(reason, details)));
    });
    this.opened.catch(() => {});
    this.upgraded = new Promise((resolve) => this.socket.once("upgrade", resolve));
    this.ended = new Promise((resolve) => this.socket.once("close", (...how) => resolve(how)));
    this.socket.on("upgrade", (transport) => this.upgrades.push(transport.name));
    this.socket.on("upgradeError", (err) => this.upgradeErrors.push(err));
    this.socket.on("close", (...how) => {
      this.closed = how;
      this.#look();
    });
    this.socket.on("message", (data) => {
      this.received.push(data ?? ""); // the parser leaves out the data of an empty text
      this.#look();
    });
  }

  static async open(url, options) {
    const client = new this(url, options);
    await within(client.opened, "the client to open");
    return client;
  }

  // in opens a client and waits until it is on the transport that its mode ends on.
  static async in(mode, url, options = {}) {
    const { options: own, ends } = modes[mode];
    const client = await this.open(url, { ...own, ...options });
    await client.settle(ends);
    return client;
  }

  async settle(name) {
    if (this.transport !== name) await within(this.upgraded, `the upgrade to ${name}`);
    assert.equal(this.transport, name);
  }

  get transport() {
    return this.socket.transport.name;
  }

  send(data) {
    this.socket.send(data);
  }

  // count waits until n messages have arrived in all; a close before that is an error.
  count(n, ms = PATIENCE) {
    const arrived = new Promise((resolve, reject) => {
      this.#waiting.push({ n, resolve, reject });
      this.#look();
    });
    return within(arrived, `message ${n}`, ms).catch((err) => {
      err.message += ` (${this.received.length} of ${n} arrived over ${this.transport})`;
      throw err;
    });
  }

  #look() {
    this.#waiting = this.#waiting.filter(({ n, resolve, reject }) => {
      if (this.received.length >= n) resolve(this.received);
      else if (this.closed) reject(closeError(...this.closed));
      else return true;
      return false;
    });
  }

  // echo sends one message and returns what comes back.
  async echo(data) {
    const n = this.received.length + 1;
    this.send(data);
    await this.count(n);
    return this.received[n - 1];
  }

  async close() {
    if (this.closed) return;
    const ended = event(this.socket, "close");
    this.socket.close();
    const [reason] = await ended;
    assert.equal(reason, "forced close");
  }
}

function closeError(reason, details) {
  const err = new Error(`closed: ${reason}: ${details?.message ?? details?.description ?? ""}`);
  err.reason = reason;
  err.details = details;
  return err;
}

// same compares what was sent with what came back, and says where they part instead of printing all.
export function same(received, sent) {
  for (let i = 0; i < Math.max(received.length, sent.length); i++) {
    const got = received[i], want = sent[i];
    const equal = typeof want === "string" ? got === want : Buffer.isBuffer(got) && bytes(want).equals(got);
    if (!equal) assert.fail(`message ${i} of ${sent.length}: got ${brief(got)}, want ${brief(want)}`);
  }
}

function bytes(data) {
  return ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data);
}

function brief(data) {
  if (data === undefined) return "nothing";
  if (typeof data === "string") return `text of ${data.length}: ${JSON.stringify(data.slice(0, 60))}`;
  return `${data.constructor.name} of ${data.byteLength}: ${bytes(data).subarray(0, 30).toString("hex")}`;
}

// mixed makes messages of both kinds and many sizes that tell their own number.
export function mixed(n, first = 0) {
  return Array.from({ length: n }, (_, k) => {
    const i = first + k;
    if (i % 3 !== 2) return `message ${i} €😀 ${"x".repeat(i % 97)}`;
    const b = Buffer.alloc(4 + (i % 61), 0x1e);
    b.writeUInt32BE(i);
    return b;
  });
}
