// The chat's protocol, spoken by engine.io-client 6 without a browser, and the app's own routes.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Client, modes } from "./lib/client.js";
import { connect, request } from "./lib/raw.js";
import { binary, startChat } from "./lib/server.js";
import { within } from "./lib/wait.js";

let keys = 0;
const newKey = () => `key-of-visitor-${process.pid}-${keys++}`;

// Visitor is a client that says JSON and waits for events by type.
class Visitor {
  static async open(server, mode = "websocket") {
    const visitor = new Visitor();
    visitor.client = await Client.in(mode, server.url);
    visitor.seen = 0;
    return visitor;
  }

  static async join(server, nick, { mode, key = newKey() } = {}) {
    const visitor = await Visitor.open(server, mode);
    visitor.say({ type: "hello", nick, key });
    visitor.welcome = await visitor.hears("welcome");
    return visitor;
  }

  say(message) {
    this.client.send(typeof message === "string" || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  // hears returns the next event of one of the types; it passes over others.
  async hears(...types) {
    for (;;) {
      await this.client.count(this.seen + 1);
      const event = JSON.parse(this.client.received[this.seen++]);
      if (types.includes(event.type)) return event;
    }
  }

  async refused(message, code, ref) {
    this.say(message);
    const event = await this.hears("error", "message", "welcome");
    assert.equal(event.type, "error", JSON.stringify(event));
    assert.equal(event.code, code);
    assert.equal(event.ref, ref);
    assert.notEqual(event.text, "");
  }

  leave() {
    return this.client.close();
  }
}

describe("chat", { timeout: 240_000 }, () => {
  let server;
  before(async () => {
    server = await startChat();
  });
  after(() => server.stop());

  test("people come, talk, change their name and go", async () => {
    const ada = await Visitor.join(server, "Ada");
    const { id, hue } = ada.welcome.user;
    assert.match(id, /^[0-9a-f]{16}$/);
    assert.ok(hue >= 0 && hue < 360);
    assert.deepEqual(ada.welcome.users, [{ id, nick: "Ada", hue, transport: "websocket" }]);
    assert.deepEqual(ada.welcome.limits, { nick: 24, text: 2000 });

    const bob = await Visitor.join(server, "Bob", { mode: "polling" });
    assert.deepEqual(bob.welcome.users.map((u) => `${u.nick} ${u.transport}`), ["Ada websocket", "Bob polling"]);
    assert.deepEqual((await ada.hears("join")).user, bob.welcome.user);

    bob.say({ type: "typing" });
    assert.equal((await ada.hears("typing")).user.nick, "Bob");
    bob.say({ type: "message", text: "<b>hello</b> €😀\u2028", ref: "b1" });
    const heard = (await ada.hears("message")).message;
    assert.equal(heard.text, "<b>hello</b> €😀\u2028");
    assert.deepEqual((await bob.hears("message")).message, heard);
    assert.deepEqual([heard.ref, heard.user.nick, heard.user.id], ["b1", "Bob", bob.welcome.user.id]);

    bob.say({ type: "nick", nick: "  Robert " });
    const renamed = await ada.hears("rename");
    assert.deepEqual([renamed.was, renamed.user.nick, renamed.user.id], ["Bob", "Robert", bob.welcome.user.id]);

    const late = await Visitor.join(server, "Late");
    assert.deepEqual(late.welcome.messages.at(-1), heard);
    await late.leave();
    assert.equal((await ada.hears("leave")).user.nick, "Late");
    await bob.leave();
    const left = await ada.hears("leave");
    assert.equal(left.user.nick, "Robert");
    assert.notEqual(left.reason ?? "", "");
    await ada.leave();
  });

  test("an upgrade is shown to the others", async () => {
    const ada = await Visitor.join(server, "Ada");
    const bob = new Visitor();
    bob.seen = 0;
    bob.client = new Client(server.url, modes.upgrade.options);
    bob.client.socket.once("upgrading", () => bob.say({ type: "hello", nick: "Bob", key: newKey() }));
    bob.client.socket.once("open", () => bob.say({ type: "typing" }));
    await bob.hears("welcome");
    await bob.client.settle("websocket");
    let shown = (await ada.hears("join")).user.transport;
    if (shown !== "websocket") shown = (await ada.hears("transport")).user.transport;
    assert.equal(shown, "websocket");
    await Promise.all([ada.leave(), bob.leave()]);
  });

  test("nothing is taken on trust", async () => {
    const visitor = await Visitor.open(server);
    const key = newKey();
    for (const bad of ["", "hi", "{", "[]", '"hello"', "7", '{"type":7}', '{"type":"hello","nick":{}}']) {
      await visitor.refused(bad, "bad_json");
    }
    await visitor.refused(Buffer.from('{"type":"hello"}'), "binary");
    await visitor.refused("null", "unknown_type");
    await visitor.refused({ type: "shout" }, "unknown_type");
    await visitor.refused({ type: "message", text: "hi", ref: "r" }, "hello_first", "r");
    await visitor.refused({ type: "hello", nick: "Ada", key: "short" }, "bad_key");
    await visitor.refused({ type: "hello", nick: "Ada", key: "k".repeat(65) }, "bad_key");
    for (const nick of ["", "   ", "x".repeat(25), "a\u200bb", "\u202eabc", "\u0000"]) {
      await visitor.refused({ type: "hello", nick, key }, "bad_nick");
    }
    visitor.say({ type: "hello", nick: "Ada", key });
    await visitor.hears("welcome");
    await visitor.leave();

    const ada = await Visitor.join(server, "Ada");
    const other = await Visitor.open(server);
    await other.refused({ type: "hello", nick: "aDA", key: newKey() }, "nick_taken");
    await other.leave();
    await ada.refused({ type: "hello", nick: "Ada", key: newKey() }, "hello_twice");
    await ada.refused({ type: "message", text: " \n", ref: "r1" }, "empty", "r1");
    await ada.refused({ type: "message", text: "€".repeat(2001), ref: "r2" }, "too_long", "r2");
    await ada.refused({ type: "message", text: "hi", ref: "r".repeat(41) }, "bad_ref");
    ada.say({ type: "message", text: "😀".repeat(2000), from: "Eve", user: { nick: "Eve" }, id: 1, at: 1 });
    const { message } = await ada.hears("message");
    assert.equal(message.user.nick, "Ada");
    assert.equal(message.text, "😀".repeat(2000));
    assert.ok(message.id > 1 && message.at > 1_600_000_000_000);
    await ada.leave();
  });

  test("too much at once is refused, and only that", async () => {
    const ada = await Visitor.join(server, "Ada");
    for (let i = 0; i < 100; i++) ada.say({ type: "message", text: `${i}`, ref: `${i}` });
    const texts = [];
    let refused = 0;
    while (texts.length + refused < 100) {
      const event = await ada.hears("message", "error");
      if (event.type === "message") texts.push(Number(event.message.text));
      else refused += event.code === "too_fast" ? 1 : assert.fail(JSON.stringify(event));
    }
    assert.ok(texts.length >= 29 && refused > 0, `${texts.length} went through, ${refused} did not`);
    assert.deepEqual(texts, texts.toSorted((a, b) => a - b));
    await ada.leave();
  });

  test("the same key is the same person on a new connection", async () => {
    const bob = await Visitor.join(server, "Bob");
    const key = newKey();
    const first = await Visitor.join(server, "Ada", { key });
    assert.equal((await bob.hears("join", "leave")).type, "join");
    const second = await Visitor.join(server, "Ada", { key, mode: "polling" });
    assert.deepEqual(second.welcome.user.id, first.welcome.user.id);
    assert.equal(second.welcome.users.length, 2);
    assert.equal((await first.hears("error")).code, "replaced");
    await within(first.client.ended, "the first connection to be closed");
    assert.equal((await bob.hears("join", "leave", "transport")).user.transport, "polling");
    second.say({ type: "message", text: "still me" });
    assert.equal((await bob.hears("join", "leave", "message")).message.text, "still me");
    await second.leave();
    assert.equal((await bob.hears("join", "leave")).type, "leave");
    await bob.leave();
  });

  test("the last 50 messages are kept, and the app serves them itself", async () => {
    const speakers = await Promise.all(["One", "Two", "Three"].map((nick) => Visitor.join(server, nick)));
    for (let i = 0; i < 60; i++) {
      const speaker = speakers[i % 3];
      speaker.say({ type: "message", text: `line ${i}` });
      while ((await speaker.hears("message")).message.text !== `line ${i}`);
    }
    const late = await Visitor.join(server, "Late");
    const want = Array.from({ length: 50 }, (_, i) => `line ${i + 10}`);
    assert.deepEqual(late.welcome.messages.map((m) => m.text), want);
    const { status, body } = await request(`${server.url}/history`);
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(body).messages, late.welcome.messages);
    const health = await request(`${server.url}/healthz`);
    assert.deepEqual(JSON.parse(health.body), { status: "ok", online: 4 });
    await Promise.all([...speakers, late].map((visitor) => visitor.leave()));
  });

  test("a message to 30 people, in one order for all", async () => {
    const names = Array.from({ length: 30 }, (_, i) => `Guest ${i}`);
    const modeNames = Object.keys(modes);
    const guests = await Promise.all(names.map((nick, i) => Visitor.join(server, nick, { mode: modeNames[i % 3] })));
    for (const [i, guest] of guests.entries()) for (let k = 0; k < 5; k++) guest.say({ type: "message", text: `${i}.${k}` });
    const heard = await Promise.all(guests.map(async (guest) => {
      const texts = [];
      while (texts.length < 150) texts.push((await guest.hears("message")).message.text);
      return texts;
    }));
    for (const texts of heard) assert.deepEqual(texts, heard[0]);
    assert.equal(new Set(heard[0]).size, 150);
    await Promise.all(guests.map((guest) => guest.leave()));
  });

  test("the page and its parts", async () => {
    for (const [path, type, part] of [
      ["/", /text\/html/, "<!doctype html>"],
      ["/app.js", /javascript/, "import"],
      ["/style.css", /text\/css/, ":root"],
      ["/engine.io.min.js", /javascript/, "Engine.IO v6"],
    ]) {
      const { status, headers, body } = await request(`${server.url}${path}`);
      assert.equal(status, 200, path);
      assert.match(headers["content-type"], type);
      assert.ok(body.includes(part), path);
      assert.match(headers["content-security-policy"], /default-src 'self'/);
    }
    for (const path of ["/engine.iox/", "/nothing", "/web/app.js", "/../main.go"]) {
      assert.equal((await request(`${server.url}${path}`)).status, 404, path);
    }
  });

  test("SIGTERM does not wait for connections on which nobody asks for anything", async () => {
    const other = await startChat();
    const silent = await connect(other);
    silent.on("error", () => {});
    const ada = await Visitor.join(other, "Ada");
    await other.terminate();
    assert.equal((await within(ada.client.ended, "the close"))[0], "transport close");
    silent.destroy();
  });

  test("without the client script it says what to do", async () => {
    const empty = await mkdtemp(join(tmpdir(), "interop-empty-"));
    try {
      const bin = await binary("chat");
      const [err, stderr] = await new Promise((resolve) => {
        execFile(bin, ["-addr", "127.0.0.1:0", "-client", empty], { timeout: 20_000 }, (err, _, stderr) => resolve([err, stderr]));
      });
      assert.equal(err?.code, 1);
      assert.match(stderr, /make run/);
      assert.match(stderr, /npm install/);
    } finally {
      await rm(empty, { recursive: true });
    }
  });
});
