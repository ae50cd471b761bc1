// Compression was agreed on, was really done, and what comes out is what went in: of polling responses for plain
// requests and for the clients, and of WebSocket messages.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, afterEach, before, describe, test } from "node:test";
import zlib from "node:zlib";
import { Sender, WebSocket } from "ws";
import { Client, fetchPolling, mixed, modes, same } from "./lib/client.js";
import { Client3, XHR2Client } from "./lib/client3.js";
import { request, Session } from "./lib/raw.js";
import { stacks, startEcho } from "./lib/server.js";
import { CLOSE, Tap, TEXT } from "./lib/tap.js";
import { XMLHttpRequest } from "./lib/xhr2.js";
import { event, within } from "./lib/wait.js";

const MB = 1_000_000;
const race = process.env.GOFLAGS?.includes("-race"); // takes memory of its own
const text = "compress me, I am the same all over again. ".repeat(500);

const codings = {
  gzip: { magic: "1f8b", decode: zlib.gunzipSync },
  deflate: { magic: "78", decode: zlib.inflateSync }, // the zlib format
  br: { decode: zlib.brotliDecompressSync },
  zstd: { magic: "28b52ffd", decode: zlib.zstdDecompressSync }, // Node 22 has it
};

// decoded checks that the answer has the coding, and returns its text; null where this Node cannot decode it.
function decoded({ headers, raw }, coding) {
  assert.equal(headers["content-encoding"], coding);
  assert.equal(Number(headers["content-length"]), raw.length);
  if (!coding) return raw.toString();
  const { magic, decode } = codings[coding];
  if (magic) assert.equal(raw.toString("hex", 0, magic.length / 2), magic);
  return decode ? decode(raw).toString() : null;
}

const varies = ({ headers }) => /(^|,\s*)accept-encoding(,|$)/i.test(headers.vary ?? "");

for (const stack of stacks) {
  describe(`compression, ${stack}`, { timeout: 240_000 }, () => {
    const servers = [];
    const clients = [];
    let server;
    const echo = async (...flags) => {
      const one = await startEcho("-stack", stack, ...flags);
      servers.push(one);
      return one;
    };
    const keep = (client) => (clients.push(client), client);

    before(async () => {
      server = await echo();
    });
    afterEach(async () => {
      await Promise.all(clients.splice(0).map((client) => client.close()));
      for (const one of servers) assert.equal(one.trouble(), "");
    });
    after(() => Promise.all(servers.map((one) => one.stop())));

    // poll has a message echoed and returns the response that it comes in.
    async function poll(acceptEncoding, message = text, to = server) {
      const session = await Session.open(to);
      assert.equal((await session.post(`4${message}`)).body, "ok");
      return request(session.url, { headers: acceptEncoding === undefined ? {} : { "Accept-Encoding": acceptEncoding } });
    }

    describe("of polling responses", () => {
      for (const coding of Object.keys(codings)) {
        test(coding, async () => {
          const res = await poll(coding);
          const body = decoded(res, coding);
          if (body !== null) assert.equal(body, `4${text}`);
          assert.ok(res.raw.length < text.length / 10, `${res.raw.length} bytes`);
          assert.ok(varies(res));
          assert.equal(res.headers["content-type"], "text/plain; charset=UTF-8");
          assert.equal(res.headers["cache-control"], "no-store");
        });
      }

      test("what the client likes best, and the server's order among equals", async () => {
        for (const [accepts, coding] of [
          ["gzip, deflate, br, zstd", "zstd"],
          ["gzip, deflate, br", "gzip"],
          ["deflate, br", "br"],
          ["gzip;q=0.5, br;q=0.9", "br"],
          ["gzip;q=0.1, deflate;q=0.4, br;q=0.3, zstd;q=0.2", "deflate"],
          ["zstd;q=0.999, gzip;q=1.0", "gzip"],
          ["gzip; q=0.5 ,\tbr ;q=0.6", "br"],
          ["GZIP", "gzip"],
          ["*", "zstd"],
          ["zstd;q=0, *", "gzip"],
          ["identity;q=0.5, gzip", "gzip"],
          ["identity;q=0, br", "br"],
          ["identity;q=0, *;q=0.1", "zstd"],
        ]) {
          const res = await poll(accepts);
          const body = decoded(res, coding);
          if (body !== null) assert.equal(body, `4${text}`, accepts);
          assert.ok(varies(res), accepts);
        }
      });

      test("nothing where the client takes nothing we have, and never an error", async () => {
        for (const accepts of [
          undefined, "", "identity", "identity, gzip;q=0.5", "gzip;q=0", "gzip;q=0, br;q=0.0, zstd;q=0.000", "*;q=0", "compress, foo",
          "gzip;q=2", "gzip;q=x", "identity;q=0", "identity;q=0, *;q=0",
        ]) {
          const res = await poll(accepts);
          assert.equal(res.status, 200);
          assert.equal(decoded(res, undefined), `4${text}`, accepts);
          assert.ok(varies(res), accepts);
        }
      });

      test("from 1,024 bytes on, of the payload", async () => {
        for (const [message, coding] of [
          ["x".repeat(1022), undefined],
          ["x".repeat(1023), "gzip"], // and the type
          ["é".repeat(512), "gzip"],
          ["é".repeat(511), undefined],
        ]) {
          const res = await poll("gzip", message);
          assert.equal(decoded(res, coding), `4${message}`);
          assert.equal(varies(res), coding !== undefined);
        }
      });

      test("-compression-threshold", async () => {
        const low = await echo("-compression-threshold", "10");
        assert.equal(decoded(await poll("br", "x".repeat(9), low), "br"), `4${"x".repeat(9)}`);
        assert.equal(decoded(await poll("br", "x".repeat(8), low), undefined), `4${"x".repeat(8)}`);
        const handshake = await request(`${low.url}/engine.io/?EIO=4&transport=polling`, { headers: { "Accept-Encoding": "gzip" } });
        assert.match(decoded(handshake, "gzip"), /^0\{"sid":/);
        const high = await echo("-compression-threshold", "100000");
        assert.equal(decoded(await poll("gzip", text, high), undefined), `4${text}`);
      });

      test("-http-compression=false", async () => {
        const off = await echo("-http-compression=false");
        const res = await poll("gzip, deflate, br, zstd", text, off);
        assert.equal(decoded(res, undefined), `4${text}`);
        assert.ok(!varies(res));
      });

      test("many messages in one response", async () => {
        const session = await Session.open(server);
        const body = Array.from({ length: 200 }, (_, i) => `4message ${i} €😀`).concat("bAQIDBA==").join("\x1e");
        await session.post(body);
        const res = await request(session.url, { headers: { "Accept-Encoding": "br" } });
        assert.equal(decoded(res, "br"), body);
      });

      test("a binary payload and JSONP of revision 3", async () => {
        const own = { Referer: `${server.url}/` }; // a script tag's
        const headers = { ...own, "Accept-Encoding": "gzip" };
        for (const jsonp of [false, true]) {
          const base = `${server.url}/engine.io/?EIO=3&transport=polling${jsonp ? "&j=0" : ""}`;
          const open = (await request(base, { headers: own })).body;
          const [sid] = /"sid\\?":\\?"([^"\\]+)/.exec(open).slice(1);
          const url = `${base}&sid=${sid}`;
          const binary = Buffer.alloc(5000, 0xab);
          if (jsonp) {
            const packet = `b4${binary.toString("base64")}`;
            const form = `d=${encodeURIComponent(`${packet.length}:${packet}`)}`;
            assert.equal((await request(url, { method: "POST", body: form, headers: own })).body, "ok");
            const res = await request(url, { headers });
            assert.equal(decoded(res, "gzip"), `___eio[0](${JSON.stringify(`${packet.length}:${packet}`)});`);
          } else {
            const payload = Buffer.concat([Buffer.from([1, 5, 0, 0, 1, 0xff, 4]), binary]);
            const post = { method: "POST", body: payload, headers: { "Content-Type": "application/octet-stream" } };
            assert.equal((await request(url, post)).body, "ok");
            const res = await request(url, { headers });
            assert.equal(res.headers["content-encoding"], "gzip");
            assert.equal(res.headers["content-type"], "application/octet-stream");
            assert.ok(res.raw.length < 500);
            assert.deepEqual(zlib.gunzipSync(res.raw), payload);
          }
        }
      });

      test("the answer to a POST is as it is", async () => {
        const session = await Session.open(server);
        const res = await session.post(`4${text}`, { "Accept-Encoding": "gzip" });
        assert.equal(decoded(res, undefined), "ok");
      });

      test("200 at once lose nothing", async () => {
        const accepts = ["gzip", "deflate", "br"];
        await Promise.all(Array.from({ length: 200 }, async (_, i) => {
          const message = `${i} ${text}`;
          const res = await poll(accepts[i % 3], message);
          assert.equal(decoded(res, accepts[i % 3]), `4${message}`);
        }));
      });
    });

    describe("of what the clients poll", () => {
      const tapped = async (run) => {
        const tap = await Tap.on(server);
        try {
          await run(tap);
        } finally {
          await Promise.all(clients.splice(0).map((client) => client.close()));
          await tap.close();
        }
      };

      // packed returns the compressed polls of a client that has had these messages echoed.
      async function packed(tap, client, coding) {
        const sent = [text, ...mixed(300)];
        for (const data of sent) client.send(data);
        same(await client.count(sent.length), sent);
        assert.equal(client.transport, "polling");
        const polls = tap.polls.filter(({ answer }) => answer.headers["content-encoding"]);
        assert.ok(polls.length > 0, "no response was compressed");
        for (const { headers, answer } of polls) {
          assert.equal(answer.headers["content-encoding"], coding, headers["accept-encoding"]);
          assert.ok(answer.raw.length < answer.body.length);
        }
        for (const { answer } of tap.polls) assert.equal(answer.body.length >= 1024, "content-encoding" in answer.headers);
      }

      test("engine.io-client 6, by fetch", () =>
        tapped(async (tap) => {
          await packed(tap, keep(await Client.open(tap.url, fetchPolling)), "gzip");
        }));

      for (const [accepts, coding] of [["gzip, deflate, br", "gzip"], ["br", "br"], ["deflate", "deflate"]]) {
        test(`engine.io-client 3 that takes ${accepts}`, (t) =>
          tapped(async (tap) => {
            const before = XMLHttpRequest.acceptEncoding;
            t.after(() => (XMLHttpRequest.acceptEncoding = before));
            XMLHttpRequest.acceptEncoding = accepts;
            await packed(tap, keep(await XHR2Client.open(tap.url, modes.polling.options)), coding);
            assert.ok(tap.polls.some(({ answer }) => answer.headers["content-type"] === "application/octet-stream" && answer.headers["content-encoding"]));
          }));
      }

      test("a client that does not ask gets none", () =>
        tapped(async (tap) => {
          const client = keep(await Client.open(tap.url, modes.polling.options));
          assert.equal(await client.echo(text), text);
          for (const { answer } of tap.polls) assert.ok(!("content-encoding" in answer.headers));
        }));
    });

    describe("of WebSocket messages", () => {
      const answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
      let deflate, tap;

      before(async () => {
        deflate = await echo("-per-message-deflate", "-max-payload", String(MB));
      });
      afterEach(async () => {
        await tap?.close();
        tap = null;
      });

      // socket opens a session by WebSocket and reads its open packet.
      async function socket(to, options) {
        const ws = new WebSocket(`ws://${to.host}/engine.io/?EIO=4&transport=websocket`, options);
        const [open] = await event(ws, "message");
        assert.match(open.toString(), /^0\{/);
        return ws;
      }

      async function answers(ws, data) {
        ws.send(data);
        const [got, binary] = await event(ws, "message");
        return binary ? got : got.toString();
      }

      test("is not agreed on by default", async () => {
        tap = await Tap.on(server);
        const ws = await socket(tap, { perMessageDeflate: true });
        assert.equal(ws.extensions, "");
        assert.equal(await answers(ws, `4${text}`), `4${text}`);
        ws.terminate();
        const [{ headers, answer: { headers: got }, sent, received }] = tap.websockets;
        assert.match(headers["sec-websocket-extensions"], /permessage-deflate/);
        assert.ok(!("sec-websocket-extensions" in got));
        for (const frame of [...sent, ...received]) assert.ok(!frame.compressed);
      });

      test("is not agreed on with a client that does not offer it", async () => {
        tap = await Tap.on(deflate);
        const ws = await socket(tap, { perMessageDeflate: false });
        assert.equal(ws.extensions, "");
        assert.equal(await answers(ws, `4${text}`), `4${text}`);
        ws.terminate();
        assert.ok(tap.websockets[0].received.every(({ compressed }) => !compressed));
      });

      test("ws: frames are smaller than what they say", async () => {
        tap = await Tap.on(deflate);
        const ws = await socket(tap, { perMessageDeflate: true });
        assert.equal(ws.extensions, "permessage-deflate");
        const before = ws._socket.bytesRead;
        assert.equal(await answers(ws, `4${text}`), `4${text}`);
        const bytesRead = ws._socket.bytesRead - before;
        assert.ok(bytesRead < text.length / 10, `${bytesRead} bytes read for ${text.length}`);

        const binary = Buffer.alloc(50_000, "binary ");
        assert.deepEqual(await answers(ws, binary), binary);
        const small = "4" + "s".repeat(1000); // under the threshold
        assert.equal(await answers(ws, small), small);
        const noise = randomBytes(20_000); // does not get smaller
        assert.deepEqual(await answers(ws, noise), noise);
        const largest = `4${"x".repeat(MB - 1)}`;
        assert.equal(await answers(ws, largest), largest);
        ws.terminate();

        const [{ answer: { headers }, sent, received }] = tap.websockets;
        assert.equal(headers["sec-websocket-extensions"], answer);
        assert.ok(sent.some(({ compressed }) => compressed), "the client compressed nothing");
        assert.deepEqual(received.map(({ compressed }) => compressed), [false, true, true, false, false, true]);
        for (const { compressed, size, data } of received) {
          if (compressed) assert.ok(size < 5000 && zlib.inflateRawSync(data, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).length > 20_000, `${size} bytes`);
        }
      });

      for (const [name, Kind] of [["engine.io-client 6", Client], ["engine.io-client 3", Client3]]) {
        for (const mode of ["websocket", "upgrade"]) {
          test(`${name}, ${mode}`, async () => {
            tap = await Tap.on(deflate);
            const client = keep(await Kind.in(mode, tap.url));
            const sent = [text, Buffer.alloc(50_000, "binary "), ...mixed(300), text];
            for (const data of sent) client.send(data);
            same(await client.count(sent.length), sent);
            assert.equal(client.socket.transport.ws.extensions, "permessage-deflate");
            const [{ headers, answer: { headers: got }, sent: up, received: down }] = tap.websockets;
            assert.match(headers["sec-websocket-extensions"], /permessage-deflate/);
            assert.equal(got["sec-websocket-extensions"], answer);
            assert.ok(up.filter(({ compressed }) => compressed).length >= 3);
            const packed = down.filter(({ compressed }) => compressed);
            assert.equal(packed.length, 3); // the other messages are short
            for (const { size } of packed) assert.ok(size < 2000, `${size} bytes`);
            await Promise.all(clients.splice(0).map((c) => c.close()));
          });
        }
      }

      test("a bomb of 200 MB behind a limit of 1 MB costs its sender the session, and the server no memory", async () => {
        const bomb = sealed(Buffer.alloc(200 * MB, "4"));
        assert.ok(bomb.length < MB / 2, `${bomb.length} bytes: the limit on frames would stop it`);
        const bystander = keep(await Client.in("websocket", deflate.url));
        assert.equal(await bystander.echo("x".repeat(MB - 1)).then((s) => s.length), MB - 1); // warms up
        const throwBomb = async () => {
          const ws = await socket(deflate, { perMessageDeflate: true });
          assert.equal(ws.extensions, "permessage-deflate");
          ws.on("error", () => {}); // close tells
          const closed = event(ws, "close");
          ws._socket.write(bomb);
          const [code] = await closed;
          assert.equal(code, 1009);
        };
        await throwBomb();
        const most = await deflate.memory("VmHWM");
        const now = await deflate.memory("VmRSS");
        for (let i = 0; i < 10; i++) await throwBomb();
        await Promise.all(Array.from({ length: 10 }, throwBomb));
        const allowed = race ? 300 * MB : 30 * MB;
        const grown = (await deflate.memory("VmHWM")) - Math.min(most, now);
        assert.ok(grown < allowed, `the server took up to ${(grown / MB).toFixed(1)} MB more`);
        assert.equal(await bystander.echo("untouched"), "untouched");
      });

      test("the limit itself may come compressed, a byte more may not", async () => {
        for (const [size, fine] of [[MB, true], [MB + 1, false]]) {
          tap = await Tap.on(deflate);
          const ws = await socket(tap, { perMessageDeflate: true });
          ws.on("error", () => {});
          const outcome = new Promise((resolve) => {
            ws.once("message", (data) => resolve(data.length));
            ws.once("close", resolve);
          });
          ws._socket.write(sealed(Buffer.alloc(size, "4")));
          assert.equal(await within(outcome, "an answer"), fine ? size : 1009);
          ws.terminate();
          assert.ok(tap.websockets[0].sent.some(({ compressed, size: wire }) => compressed && wire < 5000));
          if (!fine) assert.equal(tap.websockets[0].received.find(({ opcode }) => opcode === CLOSE).data.readUInt16BE(), 1009);
          await tap.close();
        }
      });
    });
  });
}

// sealed is a masked frame with the data compressed as one text message.
function sealed(data) {
  const packed = zlib.deflateRawSync(data, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);
  return Buffer.concat(Sender.frame(packed, { fin: true, rsv1: true, opcode: TEXT, mask: true, readOnly: true }));
}
