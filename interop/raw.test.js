// What no client should send. Each test looks at the answer, at the session it concerns, and at two
// bystanders, one on polling and one on WebSocket, which must not notice.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { Client, modes } from "./lib/client.js";
import { badRequest, bytes, connect, dial, firstLine, gone, pick, refusal, request, Session, unknownSession } from "./lib/raw.js";
import { stacks, startEcho } from "./lib/server.js";
import { event, until, within } from "./lib/wait.js";

const LIMIT = 1_000_000;

for (const stack of stacks) {
  describe(`bad input, ${stack}`, { timeout: 240_000 }, () => {
    let server, bystanders, url, wsURL;

    before(async () => {
      server = await startEcho("-stack", stack, "-upgrade-timeout", "300ms");
      url = `${server.url}/engine.io/`;
      wsURL = `ws://${server.host}/engine.io/`;
      bystanders = [await Client.open(server.url, modes.polling.options), await Client.in("upgrade", server.url)];
    });

    afterEach(async () => {
      for (const client of bystanders) {
        const n = client.received.length;
        assert.equal(await client.echo(`untouched ${n}`), `untouched ${n}`);
        assert.equal(client.received.length, n + 1, "nobody else's message arrived");
      }
      assert.equal(server.trouble(), "");
    });

    after(async () => {
      await Promise.all(bystanders.map((client) => client.close()));
      await server.stop();
    });

    // lastWord does what ends a session while a GET waits, and returns the answers to both. The round trip
    // before it lets the GET arrive first; should it not, the session is unknown to it.
    async function lastWord(session, cause) {
      const waiting = session.get();
      await request(server.url);
      const answer = await cause();
      const get = await waiting;
      if (get.status === 200) assert.match(get.body, /(^|\x1e)[16]$/);
      else assert.deepEqual(refusal(get), unknownSession);
      await gone(server, session.handshake.sid);
      return { answer: pick(answer), told: get.status === 200 };
    }

    describe("handshakes", () => {
      const ask = async (query, options) => refusal(await request(url + query, options));

      test("transport", async () => {
        const want = { status: 400, code: 0, message: "Transport unknown" };
        for (const query of ["", "?EIO=4", "?EIO=4&transport=", "?EIO=4&transport=abc", "?EIO=4&transport=webtransport", "?transport=abc"]) {
          assert.deepEqual(await ask(query), want, query);
        }
      });

      test("revision", async () => {
        for (const eio of ["", "EIO=&", "EIO=abc&", "EIO=5&", "EIO=44&", "EIO=-4&"]) {
          const got = await ask(`?${eio}transport=polling`);
          assert.deepEqual(got, { status: 400, code: 5, message: "Unsupported protocol version" }, eio);
        }
      });

      test("method", async () => {
        for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
          const got = await ask("?EIO=4&transport=polling", { method, body: "4hi" });
          assert.deepEqual(got, { status: 400, code: 2, message: "Bad handshake method" }, method);
        }
        const head = await request(`${url}?EIO=4&transport=polling`, { method: "HEAD" });
        assert.deepEqual(pick(head), { status: 400, body: "" });
      });

      test("websocket without an upgrade", async () => {
        assert.deepEqual(await ask("?EIO=4&transport=websocket"), badRequest);
      });

      test("unknown sid", async () => {
        for (const sid of ["abc", "__proto__", "..%2f", "%00", "x".repeat(2000), "%F0%9F%98%80"]) {
          assert.deepEqual(await ask(`?EIO=4&transport=polling&sid=${sid}`), unknownSession, sid);
          assert.deepEqual(await ask(`?EIO=4&transport=polling&sid=${sid}`, { method: "POST", body: "4hi" }), unknownSession, sid);
        }
        const ws = await within(dial(`${wsURL}?EIO=4&transport=websocket&sid=abc`).refused, "the refusal");
        assert.deepEqual(refusal(ws), unknownSession);
      });

      test("other transports by WebSocket", async () => {
        const unknown = await within(dial(`${wsURL}?EIO=4&transport=abc`).refused, "the refusal");
        assert.deepEqual(refusal(unknown), { status: 400, code: 0, message: "Transport unknown" });
        const revision = await within(dial(`${wsURL}?EIO=5&transport=websocket`).refused, "the refusal");
        assert.deepEqual(refusal(revision), { status: 400, code: 5, message: "Unsupported protocol version" });
      });

      test("a WebSocket handshake that is none", async () => {
        const head = "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
        const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        for (const [name, rest] of Object.entries({
          "no key": "Sec-WebSocket-Version: 13\r\n",
          "no version": key,
          "an old version": `${key}Sec-WebSocket-Version: 8\r\n`,
          "a short key": "Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 13\r\n",
        })) {
          assert.match(await firstLine(server, `${head}${rest}\r\n`), /^HTTP\/1\.1 4\d\d /, name);
        }
      });

      test("no HTTP at all", async () => {
        for (const garbage of ["\r\n\r\n\0\0\0\0garbage\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", "GET\r\n\r\n", `GET ${"/".repeat(200_000)}`]) {
          const answer = await bytes(server, Buffer.from(garbage, "latin1"));
          assert.ok(answer === "" || /^HTTP\/1\.1 4\d\d /.test(answer), answer.slice(0, 100));
        }
      });
    });

    describe("requests on a session", () => {
      test("other methods leave it alone", async () => {
        const session = await Session.open(server);
        for (const method of ["PUT", "PATCH", "DELETE", "HEAD"]) {
          const { status } = await request(session.url, { method, body: method === "HEAD" ? undefined : "4hi" });
          assert.ok(status >= 400 && status <= 500, `${method}: ${status}`);
        }
        await session.works();
      });

      test("another transport without an upgrade leaves it alone", async () => {
        const session = await Session.open(server);
        assert.deepEqual(refusal(await request(session.url.replace("transport=polling", "transport=websocket"))), badRequest);
        await session.works();
      });

      test("another revision leaves it alone", async () => {
        const session = await Session.open(server);
        assert.equal((await request(session.url.replace("EIO=4", "EIO=3"))).status, 400);
        await session.works();
      });

      test("invalid packets end it, and the GET that waits is told", async () => {
        let told = 0;
        for (const body of ["abc", "", "\x1e", "4hi\x1e", "\x1e4hi", "9", "7", "b!!!", "\0", "44\x1eabc", "{}"]) {
          const session = await Session.open(server);
          const end = await lastWord(session, () => session.post(body));
          assert.deepEqual(end.answer, { status: 200, body: "ok" }, JSON.stringify(body));
          told += end.told;
        }
        assert.ok(told > 0);
      });

      test("a ping from the client ends it", async () => {
        const session = await Session.open(server);
        assert.deepEqual((await lastWord(session, () => session.post("2"))).answer, { status: 200, body: "ok" });
      });

      test("packets that are not for the server are ignored", async () => {
        const session = await Session.open(server);
        for (const body of ["3", "6", "0", "5"]) {
          assert.deepEqual(await session.post(body).then(pick), { status: 200, body: "ok" }, body);
        }
        await session.works();
      });

      test("close from the client answers the GET that waits, or the next", async () => {
        const session = await Session.open(server);
        const end = await lastWord(session, () => session.post("1"));
        assert.deepEqual(end, { answer: { status: 200, body: "ok" }, told: true });
      });

      test("octet-stream is not revision 4", async () => {
        const session = await Session.open(server);
        const { answer } = await lastWord(session, () => session.post("4hi", { "Content-Type": "application/octet-stream" }));
        assert.equal(answer.status, 400);
      });

      test("any other content type is text", async () => {
        const session = await Session.open(server);
        for (const type of ["text/plain", "application/json", "x", "application/x-www-form-urlencoded"]) {
          assert.deepEqual(await session.post("4€", { "Content-Type": type }).then(pick), { status: 200, body: "ok" }, type);
          assert.deepEqual(await session.get().then(pick), { status: 200, body: "4€" });
        }
      });

      test("overlapping GETs: one gets the close, the other 400, and that was it", async () => {
        const session = await Session.open(server);
        const answers = await Promise.all([session.get(), session.get()]);
        answers.sort((a, b) => a.status - b.status);
        assert.deepEqual(answers.map(pick), [{ status: 200, body: "1" }, { status: 400, body: "" }]);
        await gone(server, session.handshake.sid);
      });

      test("an aborted GET ends it at once, long before a heartbeat could", async () => {
        for (const end of ["destroy", "end"]) {
          const session = await Session.open(server);
          const socket = await connect(server);
          const { pathname, search } = new URL(session.url);
          const written = new Promise((resolve) => socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: x\r\n\r\n`, resolve));
          await within(written, "the request to be written");
          const start = Date.now();
          socket[end]();
          await gone(server, session.handshake.sid);
          assert.ok(Date.now() - start < 5_000, `${end}: noticed after ${Date.now() - start} ms`);
          socket.destroy();
        }
      });

      test("an oversized POST is 413, and the session goes on", async () => {
        const session = await Session.open(server);
        const body = `4${"x".repeat(LIMIT)}`;
        assert.deepEqual(await session.post(body).then(pick), { status: 413, body: "" });
        await session.works();
        assert.deepEqual(await session.post(Array(11).fill("4".padEnd(100_000, "y"))).then(pick), { status: 413, body: "" }, "chunked");
        await session.works();
      });

      test("the limit itself is fine, chunked or not", async () => {
        const session = await Session.open(server);
        const body = `4${"x".repeat(LIMIT - 1)}`;
        for (const sent of [body, [body.slice(0, 300_000), body.slice(300_000)]]) {
          assert.deepEqual(await session.post(sent).then(pick), { status: 200, body: "ok" });
          assert.ok((await session.get()).body === body);
        }
      });

      test("a POST far too large is refused or cut off, and the session goes on", async () => {
        const session = await Session.open(server);
        const answer = await session.post(Buffer.alloc(20_000_000, "4")).then(
          (res) => res.status,
          (err) => err.code,
        );
        // The HTTP server's own limit: Fiber says 413, fasthttp 400, and either may cut the connection before.
        assert.ok([413, 400, "ECONNRESET", "EPIPE"].includes(answer), `got ${answer}`);
        await session.works();
      });

      test("a POST that breaks off is no message", async () => {
        const session = await Session.open(server);
        const { pathname, search } = new URL(session.url);
        const answer = bytes(server, `POST ${pathname}${search} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
        assert.match(await answer, /^HTTP\/1\.1 (200|400) /);
        const half = await Session.open(server);
        const at = new URL(half.url);
        const socket = await connect(server);
        socket.on("error", () => {});
        const closed = event(socket, "close");
        socket.end(`POST ${at.pathname}${at.search} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n4half a message`);
        socket.resume();
        await closed;
        // The reference ends such a session; a server that reads bodies first never sees the request.
        const res = await half.post("4whole");
        if (res.status === 200) assert.equal((await half.get()).body, "4whole");
        else assert.equal(refusal(res).code, unknownSession.code);
      });

      test("a body that is not UTF-8 ends it, and nothing else", async () => {
        const session = await Session.open(server);
        await lastWord(session, () => session.post(Buffer.from([0x34, 0xff, 0xfe])));
      });
    });

    describe("WebSockets", () => {
      const open = async () => {
        const ws = dial(`${wsURL}?EIO=4&transport=websocket`);
        const hello = await ws.next(1);
        assert.equal(hello[0], "0");
        ws.sid = JSON.parse(hello.slice(1)).sid;
        return ws;
      };

      test("invalid packets end the session", async () => {
        for (const packet of ["", "abc", "9", "b!!!"]) {
          const ws = await open();
          ws.send(packet);
          await within(ws.closed, `the close after ${JSON.stringify(packet)}`);
          await gone(server, ws.sid);
        }
      });

      test("a ping from the client ends the session", async () => {
        const ws = await open();
        ws.send("2");
        await within(ws.closed, "the close");
        await gone(server, ws.sid);
      });

      test("a close packet closes", async () => {
        const ws = await open();
        ws.send("1");
        await within(ws.closed, "the close");
        await gone(server, ws.sid);
      });

      test("a message over the limit is 1009, in one frame or in many", async () => {
        const one = await open();
        one.send(`4${"x".repeat(LIMIT)}`);
        assert.equal((await within(one.closed, "the close")).code, 1009);
        const many = await open();
        for (let i = 0; i < 11; i++) many.send("4".padEnd(100_000, "x"), { fin: i === 10 });
        assert.equal((await within(many.closed, "the close")).code, 1009);
        await gone(server, one.sid);
        await gone(server, many.sid);
      });

      test("a message in many frames is one message, with control frames in between", async () => {
        const ws = await open();
        const pong = event(ws, "pong");
        ws.send("4one ", { fin: false });
        ws.ping("are you there");
        ws.send("mess", { fin: false });
        ws.send("age", { fin: true });
        assert.equal(await ws.next(2), "4one message");
        assert.equal((await pong)[0].toString(), "are you there");
        ws.close();
        await gone(server, ws.sid);
      });

      test("broken frames end the connection", async () => {
        for (const [name, frame] of Object.entries({
          unmasked: [0x81, 0x02, 0x34, 0x61],
          "reserved bits": [0xf1, 0x82, 0, 0, 0, 0, 0x34, 0x61],
          "reserved opcode": [0x83, 0x82, 0, 0, 0, 0, 0x34, 0x61],
          "fragmented ping": [0x09, 0x80, 0, 0, 0, 0],
          "long ping": [0x89, 0xfe, 0x00, 0x7e, 0, 0, 0, 0, ...Array(126).fill(0)],
          "not UTF-8": [0x81, 0x83, 0, 0, 0, 0, 0x34, 0xff, 0xfe],
          "endless length": [0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
          "continuation of nothing": [0x80, 0x80, 0, 0, 0, 0],
        })) {
          const ws = await open();
          ws._socket.write(Buffer.from(frame));
          await within(ws.closed, `the close after a frame that is ${name}`);
          await gone(server, ws.sid);
        }
      });

      test("frames right behind the handshake are not lost", async () => {
        const socket = await connect(server);
        const parts = [];
        const echoed = new Promise((resolve) => {
          socket.on("data", (part) => {
            parts.push(part);
            if (Buffer.concat(parts).includes("4early")) resolve();
          });
        });
        const payload = Buffer.from("4early");
        socket.write(Buffer.concat([
          Buffer.from("GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
          Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]),
          payload,
        ]));
        await within(echoed, "the echo of a frame sent with the handshake");
        socket.destroy();
      });
    });

    describe("upgrades", () => {
      const probe = async (session) => {
        const ws = dial(session.ws);
        await ws.opened;
        ws.send("2probe");
        assert.equal(await ws.next(1), "3probe");
        return ws;
      };

      test("by hand", async () => {
        const session = await Session.open(server);
        const ws = await probe(session);
        ws.send("5");
        ws.send("4over websocket");
        assert.equal(await ws.next(2), "4over websocket");
        assert.deepEqual(refusal(await session.get()), badRequest);
        assert.deepEqual(refusal(await session.post("4hi")), badRequest);
        ws.close();
        await gone(server, session.handshake.sid);
      });

      test("a GET that waits is answered, and nothing is lost", async () => {
        const session = await Session.open(server);
        const get = session.get();
        const ws = await probe(session);
        assert.deepEqual(await get.then(pick), { status: 200, body: "6" });
        assert.deepEqual(await session.post("4sent while upgrading").then(pick), { status: 200, body: "ok" });
        ws.send("5");
        assert.equal(await ws.next(2), "4sent while upgrading");
        ws.close();
        await gone(server, session.handshake.sid);
      });

      test("a wrong first packet closes the WebSocket and leaves the session", async () => {
        for (const packet of ["4hi", "2", "2prob", "abc", ""]) {
          const session = await Session.open(server);
          const ws = dial(session.ws);
          await ws.opened;
          ws.send(packet);
          await within(ws.closed, "the close");
          await session.works();
        }
      });

      test("a wrong second packet closes the WebSocket and leaves the session", async () => {
        for (const packet of ["4hi", "3", "abc"]) {
          const session = await Session.open(server);
          const ws = await probe(session);
          ws.send(packet);
          await within(ws.closed, "the close");
          await session.works();
        }
      });

      test("a probe that breaks off leaves the session, and the next one works", async () => {
        const session = await Session.open(server);
        const first = await probe(session);
        first.terminate();
        await within(first.closed, "the close");
        await session.works();
        const second = await until(async () => {
          // until the server has noticed, another upgrade is under way
          const ws = dial(session.ws);
          const opened = await ws.opened.then(() => true, () => false);
          if (!opened) return null;
          ws.send("2probe");
          return (await ws.next(1).catch(() => "")) === "3probe" ? ws : null;
        }, "a second probe to be let in");
        second.send("5");
        second.send("4second");
        assert.equal(await second.next(2), "4second");
        second.close();
        await gone(server, session.handshake.sid);
      });

      test("a probe that takes too long is closed and leaves the session", async () => {
        const session = await Session.open(server);
        const silent = dial(session.ws);
        await within(silent.closed, "the close");
        await session.works();
        const half = await probe(session);
        await within(half.closed, "the close");
        await session.works();
      });

      test("a second WebSocket for one session does not disturb the first", async () => {
        const session = await Session.open(server);
        const first = await probe(session);
        const second = dial(session.ws);
        const open = await second.opened.then(() => true, () => false);
        if (open) await within(second.closed, "the close");
        first.send("5");
        first.send("4first");
        assert.equal(await first.next(2), "4first");
        const third = dial(session.ws);
        await within(third.closed, "the close");
        first.send("4still first");
        assert.equal(await first.next(3), "4still first");
        first.close();
        await gone(server, session.handshake.sid);
      });
    });
  });
}
