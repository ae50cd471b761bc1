// Debian's python3-engineio 4.3, its Client on requests and websocket-client and its AsyncClient on aiohttp.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { mixed, same } from "./lib/client.js";
import { PythonClient } from "./lib/python.js";
import { stacks, startEcho } from "./lib/server.js";
import { BINARY, Tap, TEXT } from "./lib/tap.js";

const LIMIT = 1_000_000; // the default of -max-payload
const PACKETS = 16; // what the client takes in one payload unless told otherwise
const MANY = 10_000;

const modes = {
  polling: { transports: ["polling"], ends: "polling" },
  websocket: { transports: ["websocket"], ends: "websocket" },
  upgrade: { transports: ["polling", "websocket"], ends: "websocket" },
};

// Not numbers, true, or null: the client takes those for JSON.
const ascii = ["hello", "", " ", "\n\r\t\0", 'quotes " and \\ and </script>', "bAQIDBA==", "4", "2probe", "b", "x".repeat(200_000)];
const unicode = ["€ é ñ 漢字 עברית", "astral 😀𝄞👩‍👩‍👧‍👦🏳️‍🌈", "\u2028 and \u2029", "\uFEFFbyte order mark", "é".normalize("NFD"), "😀".repeat(50_000)];
const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
const binaries = [every, Buffer.alloc(0), Buffer.from([0]), Buffer.alloc(100_001, 0xfe)];
const things = { name: "dict", list: [1, 2.5, null, true, { nested: "€😀\u2028" }], empty: {} };

for (const stack of stacks) {
  for (const kind of ["sync", "asyncio"]) {
    describe(`python-engineio, ${kind}, ${stack}`, { timeout: 240_000 }, () => {
      let server, tap;
      const clients = [];
      const keep = (client) => (clients.push(client), client);

      before(async () => {
        server = await startEcho("-stack", stack);
      });
      beforeEach(async () => {
        tap = await Tap.on(server);
      });
      afterEach(async () => {
        try {
          await Promise.all(clients.splice(0).map((client) => client.close().finally(() => client.kill())));
        } finally {
          await tap.close();
        }
        assert.equal(server.trouble(), "");
      });
      after(() => server.stop());

      for (const [mode, { transports, ends }] of Object.entries(modes)) {
        describe(mode, () => {
          // The sync client posts Latin-1; told to, it posts UTF-8.
          const open = async (options) =>
            keep(await PythonClient.open(kind, tap.url, { transports, packets: MANY, utf8: kind === "sync", ...options }));

          test("uses the transport it was told to", async () => {
            const client = await open();
            assert.equal(client.transport, ends);
            assert.match(client.sid, /^[\w-]{20}$/);
            assert.equal(await client.echo("hello"), "hello");
            assert.deepEqual(await client.echo(every), every);
            for (const { url, query } of tap.exchanges) assert.equal(query.get("EIO"), "4", url);
            const [handshake] = tap.handshakes;
            assert.equal(handshake.query.get("transport"), transports[0]);
            assert.equal(tap.websockets.length, mode === "polling" ? 0 : 1);
            if (mode === "polling") {
              assert.deepEqual(tap.posts.map(({ body }) => body.toString()), ["4hello", `b${every.toString("base64")}`]);
              assert.ok(tap.polls.some(({ answer }) => answer.body.toString() === `b${every.toString("base64")}`));
            } else {
              const [{ query, sent, received }] = tap.websockets;
              assert.equal(query.get("sid"), mode === "upgrade" ? client.sid : null);
              const told = sent.map(({ opcode, data }) => (opcode === TEXT ? data.toString() : opcode));
              assert.deepEqual(told, mode === "upgrade" ? ["2probe", "5", "4hello", BINARY] : ["4hello", BINARY]);
              const heard = received.map(({ opcode, data }) => (opcode === TEXT ? data.toString() : opcode));
              assert.deepEqual(heard, [mode === "upgrade" ? "3probe" : handshake.received[0].data.toString(), "4hello", BINARY]);
              assert.deepEqual(received[2].data, every);
              assert.equal(tap.posts.length, 0);
            }
          });

          test("text, one by one and together", async () => {
            const client = await open();
            const texts = [...ascii, ...unicode];
            for (const text of texts) assert.equal(await client.echo(text), text);
            for (const text of texts) client.send(text);
            same(await client.count(2 * texts.length), [...texts, ...texts]);
          });

          test("binary", async () => {
            const client = await open();
            for (const data of binaries) client.send(data);
            same(await client.count(binaries.length), binaries);
          });

          test("JSON", async () => {
            const client = await open({ utf8: false }); // it escapes what is not ASCII
            assert.deepEqual(await client.echo(things), things);
            assert.deepEqual(await client.echo([things, [], "x"]), [things, [], "x"]);
            const packets = mode === "polling" ? tap.posts.map(({ body }) => body) : tap.websockets[0].sent.map(({ data }) => data);
            assert.ok(packets.some((packet) => packet.toString().startsWith('4{"name":"dict","list":[1,2.5,null,true,{"nested":"\\u20ac')));
          });

          test("a burst of 1,000, text and binary, in order both ways", async () => {
            const client = await open();
            const sent = mixed(1000);
            for (const data of sent) client.send(data);
            same(await client.count(sent.length, 60_000), sent);
          });

          test("16 at a time, as it comes", async () => {
            const client = await open({ packets: PACKETS });
            const sent = mixed(20 * PACKETS);
            for (let i = 0; i < sent.length; i += PACKETS) {
              for (const data of sent.slice(i, i + PACKETS)) client.send(data);
              await client.count(i + PACKETS);
            }
            same(client.received, sent);
          });

          test("as large as maxPayload", async () => {
            const client = await open();
            const largest = "z".repeat(LIMIT - 1);
            assert.ok((await client.echo(largest)) === largest);
            const wide = "é".repeat(LIMIT / 2 - 1) + "z";
            assert.ok((await client.echo(wide)) === wide);
            const binary = Buffer.alloc(mode === "polling" ? 749_999 - 2 : LIMIT, 0xa5);
            assert.ok(binary.equals(await client.echo(binary)));
          });

          test("larger than maxPayload ends the session, and only this one", async () => {
            const other = await open();
            const client = await open();
            client.send("z".repeat(LIMIT + 1));
            if (mode === "polling") {
              // 413, and the client sends no more; but its poll goes on, and nobody tells the application.
              for (let i = 0; i < 3; i++) assert.equal(await other.echo(`round ${i}`), `round ${i}`);
              assert.equal(client.received.length, 0);
              clients.splice(clients.indexOf(client), 1);
              client.kill();
            } else {
              await client.event("disconnected");
              assert.ok(tap.websockets.some(({ received }) => received.at(-1).opcode === 8 && received.at(-1).data.readUInt16BE() === 1009));
            }
            assert.equal(await other.echo("untouched"), "untouched");
          });

          test("heartbeats keep it", async () => {
            const quick = await startEcho("-stack", stack, "-ping-interval", "100ms", "-ping-timeout", "10s");
            try {
              await tap.close();
              tap = await Tap.on(quick);
              const client = await open();
              const pongs = () =>
                mode === "polling" ? tap.posts.filter(({ body }) => body.toString() === "3") : tap.websockets[0].sent.filter(({ data }) => data.toString() === "3");
              await tap.until(() => pongs().length >= 4, "four pongs");
              assert.equal(await client.echo("alive"), "alive");
              await Promise.all(clients.splice(0).map((one) => one.close()));
            } finally {
              await quick.stop();
            }
          });

          test("the server closes", async () => {
            const ending = await startEcho("-stack", stack);
            const client = keep(await PythonClient.open(kind, ending.url, { transports }));
            assert.equal(await client.echo("hello"), "hello");
            await ending.terminate();
            await client.event("disconnected");
          });

          test("a refusal is told", async () => {
            const client = new PythonClient(kind, `${tap.url}?reject=1`, { transports });
            const refused = await client.event("refused");
            if (mode === "websocket") assert.deepEqual(refused, ["Connection error"]);
            else assert.deepEqual(refused, ["Unexpected status code 403 in server response", { code: 4, message: "Forbidden" }]);
            await client.close();
          });
        });
      }
    });
  }

  describe(`python-engineio, what it posts of text that is not ASCII, ${stack}`, { timeout: 60_000 }, () => {
    let server, tap, client;

    before(async () => {
      server = await startEcho("-stack", stack);
    });
    beforeEach(async () => {
      tap = await Tap.on(server);
      client = await PythonClient.open("sync", tap.url, { transports: ["polling"] });
    });
    afterEach(async () => {
      client.kill();
      await tap.close();
      assert.equal(server.trouble(), "");
    });
    after(() => server.stop());

    test("Latin-1, which is not UTF-8 and ends its session", async () => {
      client.send("été");
      await client.event("disconnected");
      const [post] = tap.posts;
      assert.equal(post.headers["content-type"], "text/plain");
      assert.equal(post.body.toString("hex"), "34e974e9");
      assert.equal(post.answer.body.toString(), "ok");
      const [, poll] = tap.exchanges.filter(({ method }) => method === "GET"); // after the handshake
      if (poll.status === 200) assert.equal(poll.answer.body.toString(), "1");
      else assert.equal(JSON.parse(poll.answer.body).code, 1); // it came after the POST
      assert.deepEqual(client.received, []);
    });

    test("nothing, where Latin-1 does not have it", async () => {
      client.send("€");
      assert.equal(await client.event("crashed"), "UnicodeEncodeError");
      assert.equal(tap.posts.length, 0);
    });
  });
}
