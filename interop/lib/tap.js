// A TCP proxy in front of a server that keeps the bytes of both directions, so that a test can tell what a client and
// the server have agreed on, whatever the client is.

import assert from "node:assert/strict";
import net from "node:net";
import zlib from "node:zlib";
import { within } from "./wait.js";

const decoders = { gzip: zlib.gunzipSync, deflate: zlib.inflateSync, br: zlib.brotliDecompressSync };

export class Tap {
  #target;
  #listener;
  #connections = [];
  #waiting = new Set();
  #parts = 0;

  static async on(server) {
    const tap = new Tap();
    tap.#target = server.port;
    tap.#listener = net.createServer((client) => tap.#forward(client));
    await new Promise((resolve) => tap.#listener.listen(0, "127.0.0.1", resolve));
    tap.port = tap.#listener.address().port;
    tap.host = `127.0.0.1:${tap.port}`;
    tap.url = `http://${tap.host}`;
    return tap;
  }

  #forward(client) {
    const server = net.connect(this.#target, "127.0.0.1");
    const kept = { client, server, up: [], down: [] };
    this.#connections.push(kept);
    for (const [from, to, bytes] of [[client, server, kept.up], [server, client, kept.down]]) {
      from.setNoDelay(true);
      from.on("data", (part) => {
        part.order = this.#parts++;
        bytes.push(part);
        for (const look of this.#waiting) look();
      });
      from.on("error", () => {}); // close follows
      from.on("close", () => to.destroySoon());
      from.pipe(to);
    }
  }

  // exchanges are the requests that were made, in the order in which they began, with their answers. raw is the body as
  // it was sent, body what it says; the same for codings that Node does not know.
  get exchanges() {
    const all = this.#connections.flatMap(({ up, down }) => exchanges(new Bytes(up), new Bytes(down)));
    return all.sort((a, b) => a.order - b.order);
  }

  get handshakes() {
    return this.exchanges.filter(({ method, query }) => method === "GET" && !query.has("sid"));
  }

  // polls are the GETs of long-polling that were answered with 200, the handshake's too.
  get polls() {
    return this.#polling("GET");
  }

  get posts() {
    return this.#polling("POST");
  }

  #polling(how) {
    return this.exchanges.filter(({ method, query, status }) => method === how && query.get("transport") === "polling" && status === 200);
  }

  // websockets are the requests that were answered with 101; each has its frames, sent by the client and received by it.
  get websockets() {
    return this.exchanges.filter(({ status }) => status === 101);
  }

  // until looks again whenever something has passed.
  until(happened, what) {
    let look;
    const seen = new Promise((resolve, reject) => {
      look = () => {
        try {
          if (happened()) resolve();
        } catch (err) {
          reject(err);
        }
      };
      this.#waiting.add(look);
      look();
    });
    return within(seen, what).finally(() => this.#waiting.delete(look));
  }

  async close() {
    for (const { client, server } of this.#connections) {
      client.destroy();
      server.destroy();
    }
    await new Promise((resolve) => this.#listener.close(resolve));
  }
}

function exchanges(up, down) {
  const all = [];
  for (let request, order = up.order(); (request = up.message()); order = up.order()) {
    const [method, url] = request.start.split(" ");
    const answer = down.message(method);
    const exchange = { order, method, url, query: new URL(url, "http://x").searchParams, headers: request.headers, body: request.body };
    all.push(exchange);
    if (!answer) break; // not yet
    exchange.status = Number(answer.start.split(" ")[1]);
    const decode = decoders[answer.headers["content-encoding"]];
    exchange.answer = { headers: answer.headers, raw: answer.body, body: decode ? decode(answer.body) : answer.body };
    if (exchange.status === 101) {
      exchange.sent = [...up.frames()];
      exchange.received = [...down.frames()];
      break;
    }
  }
  return all;
}

class Bytes {
  constructor(parts) {
    this.parts = parts;
    this.rest = Buffer.concat(parts);
    this.size = this.rest.length;
  }

  // order is that of the part with which the rest begins, among those of all connections.
  order() {
    let at = this.size - this.rest.length;
    return this.parts.find((part) => (at -= part.length) < 0)?.order;
  }

  // message is the next HTTP message, if all of it has come. method is that of the request, when it is an answer.
  message(method) {
    const end = this.rest.indexOf("\r\n\r\n");
    if (end < 0) return null;
    const [start, ...lines] = this.rest.toString("latin1", 0, end).split("\r\n");
    const headers = {};
    for (const line of lines) {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
    }
    assert.ok(!("transfer-encoding" in headers), "chunks are not understood here");
    const empty = method === "HEAD" || / (1\d\d|204|304) /.test(start);
    const size = empty ? 0 : Number(headers["content-length"] ?? 0);
    const body = this.rest.subarray(end + 4, end + 4 + size);
    if (body.length < size) return null;
    this.rest = this.rest.subarray(end + 4 + size);
    return { start, headers, body };
  }

  // frames are the WebSocket frames that have come whole. size is that of the payload on the wire.
  *frames() {
    for (;;) {
      const b = this.rest;
      if (b.length < 2) return;
      let size = b[1] & 0x7f;
      let at = 2;
      if (size === 126) {
        if (b.length < 4) return;
        size = b.readUInt16BE(2);
        at = 4;
      } else if (size === 127) {
        if (b.length < 10) return;
        size = Number(b.readBigUInt64BE(2));
        at = 10;
      }
      const mask = b[1] & 0x80 ? b.subarray(at, at + 4) : null;
      if (mask) at += 4;
      if (b.length < at + size) return;
      const data = Buffer.from(b.subarray(at, at + size));
      if (mask) for (let i = 0; i < size; i++) data[i] ^= mask[i & 3];
      this.rest = b.subarray(at + size);
      yield { opcode: b[0] & 0x0f, final: b[0] >= 0x80, compressed: (b[0] & 0x40) !== 0, size, data };
    }
  }
}

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
