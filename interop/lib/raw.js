// Requests that no well-behaved client makes, and sessions made of plain requests.

import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import { WebSocket } from "ws";
import { until, within } from "./wait.js";

// request makes one request on a connection of its own.
// body may be a string, a Buffer, or a list of those, which is sent chunked.
export function request(url, { method = "GET", body, headers = {} } = {}) {
  const answer = new Promise((resolve, reject) => {
    const chunks = Array.isArray(body) ? body : null;
    const length = body === undefined || chunks ? {} : { "Content-Length": Buffer.byteLength(body) };
    const req = http.request(url, { method, agent: false, headers: { ...length, ...headers } });
    let answered = false;
    req.on("response", (res) => {
      answered = true;
      const parts = [];
      res.on("data", (part) => parts.push(part));
      res.on("error", reject);
      res.on("end", () => {
        const raw = Buffer.concat(parts);
        resolve({ status: res.statusCode, headers: res.headers, body: raw.toString(), raw });
      });
    });
    // A server may answer and close before it has read all of a body that is too large.
    req.on("error", (err) => answered || reject(err));
    if (chunks) for (const chunk of chunks) req.write(chunk);
    req.end(chunks ? undefined : body);
  });
  return within(answer, `the answer to ${method} ${url}`);
}

// Session is a polling session by hand.
export class Session {
  static async open(server, path = "/engine.io/") {
    const session = new Session();
    session.base = `${server.url}${path}?EIO=4&transport=polling`;
    const { status, body } = await request(session.base);
    assert.equal(status, 200, body);
    assert.equal(body[0], "0", body);
    session.handshake = JSON.parse(body.slice(1));
    session.url = `${session.base}&sid=${session.handshake.sid}`;
    session.ws = session.url.replace("http:", "ws:").replace("polling", "websocket");
    return session;
  }

  get = () => request(this.url);
  post = (body, headers) => request(this.url, { method: "POST", body, headers });

  // works sends something and wants it back; only for a session whose last GET was answered.
  async works(text = "still here") {
    assert.deepEqual(await this.post(`4${text}`).then(pick), { status: 200, body: "ok" });
    assert.deepEqual(await this.get().then(pick), { status: 200, body: `4${text}` });
  }
}

export const pick = ({ status, body }) => ({ status, body });

// refusal reads an error answer: its status, code and message.
export function refusal({ status, headers, body }) {
  assert.match(headers["content-type"] ?? "", /^application\/json/, `${status} ${body}`);
  return { status, ...JSON.parse(body) };
}

export const badRequest = { status: 400, code: 3, message: "Bad request" };
export const unknownSession = { status: 400, code: 1, message: "Session ID unknown" };

// gone asks for a session until it is unknown: by a method that sessions refuse and survive. A GET or a POST could
// meet another one, and two at once end a session.
export function gone(server, sid, path = "/engine.io/") {
  const url = `${server.url}${path}?EIO=4&transport=polling&sid=${sid}`;
  return until(async () => {
    const res = await request(url, { method: "PUT" });
    return res.body !== "" && refusal(res).code === unknownSession.code;
  }, "the session to be gone");
}

// dial opens a WebSocket and keeps what it says: frames in order, and how it ended.
export function dial(url) {
  const ws = new WebSocket(url, { perMessageDeflate: false });
  ws.frames = [];
  ws.wake = () => {};
  ws.on("message", (data, binary) => {
    ws.frames.push(binary ? data : data.toString());
    ws.wake();
  });
  ws.on("error", () => {}); // closed tells
  ws.closed = new Promise((resolve) => ws.once("close", (code, reason) => resolve({ code, reason: reason.toString() })));
  ws.refused = new Promise((resolve) => {
    ws.once("unexpected-response", (req, res) => {
      const parts = [];
      res.on("data", (part) => parts.push(part));
      res.on("end", () => {
        resolve({ status: res.statusCode, headers: res.headers, body: Buffer.concat(parts).toString() });
        ws.terminate();
      });
    });
  });
  ws.opened = within(
    new Promise((resolve, reject) => {
      ws.once("open", resolve);
      ws.once("close", () => reject(new Error("closed before it opened")));
    }),
    "the WebSocket to open",
  );
  ws.opened.catch(() => {});
  ws.next = (n) =>
    within(
      new Promise((resolve, reject) => {
        ws.wake = () => ws.frames.length >= n && resolve(ws.frames[n - 1]);
        ws.wake();
        ws.closed.then(({ code }) => reject(new Error(`closed with ${code} before frame ${n}`)));
      }),
      `frame ${n}`,
    );
  return ws;
}

// bytes writes to a bare TCP connection and returns all that comes back until the server ends it.
export function bytes(server, data) {
  const socket = net.connect(server.port, "127.0.0.1");
  const parts = [];
  const ended = new Promise((resolve) => {
    socket.on("data", (part) => parts.push(part));
    socket.on("error", () => {}); // a reset is an end too
    socket.on("close", () => resolve(Buffer.concat(parts).toString("latin1")));
  });
  socket.write(data);
  return within(ended, "the server to end the connection");
}

// firstLine writes to a bare TCP connection and returns the first line of the answer.
export async function firstLine(server, data) {
  const socket = await connect(server);
  try {
    let text = "";
    socket.setEncoding("latin1").write(data);
    return await within(
      new Promise((resolve, reject) => {
        socket.on("data", (part) => {
          text += part;
          if (text.includes("\r\n")) resolve(text.split("\r\n")[0]);
        });
        socket.on("close", () => reject(new Error(`the server ended the connection after ${JSON.stringify(text)}`)));
      }),
      "an answer",
    );
  } finally {
    socket.destroy();
  }
}

// connect opens a bare TCP connection.
export function connect(server) {
  return within(
    new Promise((resolve, reject) => {
      const socket = net.connect(server.port, "127.0.0.1", () => resolve(socket));
      socket.once("error", reject);
    }),
    "a TCP connection",
  );
}
