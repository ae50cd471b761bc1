// npm engine.io-client 6 against the echo server: what goes in comes out, over the transport that was asked for.

import assert from "node:assert/strict";
import http from "node:http";
import { after, afterEach, before, describe, test } from "node:test";
import { Client, fetchPolling, fetchUpgrade, mixed, modes, same } from "./lib/client.js";
import { stacks, startEcho } from "./lib/server.js";
import { event, within } from "./lib/wait.js";

const LIMIT = 1_000_000; // the default of -max-payload

const texts = [
  "hello",
  "",
  " ",
  "\n\r\t\0",
  "€ é ñ 漢字 עברית",
  "astral 😀𝄞👩‍👩‍👧‍👦🏳️‍🌈",
  "\u2028 and \u2029",
  'quotes " and \\ and </script>',
  "bAQIDBA==", // looks like binary
  "4", "2probe", "b", "0{}",
  "\uFEFFbyte order mark",
  "é".normalize("NFD"),
  "x".repeat(200_000),
  "😀".repeat(50_000),
];

const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

for (const stack of stacks) {
  describe(`engine.io-client 6, ${stack}`, { timeout: 240_000 }, () => {
    let server;
    const clients = [];
    const keep = (client) => (clients.push(client), client);

    before(async () => {
      server = await startEcho("-stack", stack);
    });
    afterEach(async () => {
      await Promise.all(clients.splice(0).map((client) => client.close()));
      assert.equal(server.trouble(), "");
    });
    after(() => server.stop());

    for (const mode of Object.keys(modes)) {
      describe(mode, () => {
        const open = async (options) => keep(await Client.in(mode, server.url, options));

        test("uses the transport it was told to, and keeps it", async () => {
          const client = keep(new Client(server.url, modes[mode].options));
          const [handshake] = await event(client.socket, "handshake");
          assert.equal(client.transport, mode === "websocket" ? "websocket" : "polling");
          assert.deepEqual(handshake, {
            sid: handshake.sid,
            upgrades: mode === "websocket" ? [] : ["websocket"],
            pingInterval: 25_000,
            pingTimeout: 20_000,
            maxPayload: LIMIT,
          });
          assert.match(handshake.sid, /^[\w-]{20}$/);
          await client.settle(modes[mode].ends);
          assert.deepEqual(client.upgrades, mode === "upgrade" ? ["websocket"] : []);
          assert.equal(await client.echo("hello"), "hello");
          assert.equal(client.socket.id, handshake.sid);
          assert.equal(client.transport, modes[mode].ends);
          assert.deepEqual(client.upgradeErrors, []);
        });

        test("text", async () => {
          const client = await open();
          for (const text of texts) client.send(text);
          same(await client.count(texts.length), texts);
        });

        test("text, one by one", async () => {
          const client = await open();
          for (const text of texts) assert.equal(await client.echo(text), text);
        });

        test("binary, from every kind of buffer", async () => {
          const client = await open();
          const sent = [
            every,
            Buffer.alloc(0),
            Buffer.from([0]),
            new Uint8Array(every).buffer,
            new Uint8Array(every).subarray(7, 9),
            new DataView(new Uint8Array(every).buffer, 250),
            Buffer.alloc(100_001, 0xfe),
          ];
          for (const data of sent) client.send(data);
          same(await client.count(sent.length), sent);
        });

        test("binary as ArrayBuffer", async () => {
          const client = await open();
          client.socket.binaryType = "arraybuffer";
          const got = await client.echo(every);
          assert.ok(got instanceof ArrayBuffer);
          assert.ok(every.equals(Buffer.from(got)));
        });

        test("a burst of 1,000, text and binary, in order both ways", async () => {
          const client = await open();
          const sent = mixed(1000);
          for (const data of sent) client.send(data);
          same(await client.count(sent.length, 60_000), sent);
          assert.equal(client.transport, modes[mode].ends);
        });

        test("a burst of more than one payload", async () => {
          const client = await open();
          const sent = Array.from({ length: 1000 }, (_, i) => `${i} ${"y".repeat(3000)}`);
          // Polling clients cut their POSTs by maxPayload; a queue on the server has a bound too.
          for (let i = 0; i < sent.length; i += 200) {
            for (const data of sent.slice(i, i + 200)) client.send(data);
            await client.count(i + 200, 60_000);
          }
          same(client.received, sent);
        });

        test("as large as maxPayload, in bytes and not in characters", async () => {
          const client = await open();
          const largest = "z".repeat(LIMIT - 1); // one byte is the packet type
          assert.ok((await client.echo(largest)) === largest);
          const wide = "é".repeat(LIMIT / 2 - 1) + "z";
          assert.equal(Buffer.byteLength(wide), LIMIT - 1);
          assert.ok((await client.echo(wide)) === wide);
          // Polling wraps binary in base64, which makes four bytes of three, and a type byte before.
          const binary = Buffer.alloc(mode === "polling" ? 749_999 - 2 : LIMIT, 0xa5);
          assert.ok(binary.equals(await client.echo(binary)));
        });

        test("larger than maxPayload ends the session, and only this one", async () => {
          const other = await open();
          const client = await open();
          client.send("z".repeat(LIMIT + 1));
          const [reason, details] = await within(client.ended, "the close");
          if (mode === "polling") {
            assert.equal(reason, "transport error");
            assert.equal(details.description, 413);
          } else {
            assert.equal(reason, "transport close");
            assert.equal(details.context.code, 1009);
          }
          assert.equal(await other.echo("untouched"), "untouched");
        });

        test("50 clients at once", async () => {
          const all = await Promise.all(Array.from({ length: 50 }, () => open()));
          assert.equal(new Set(all.map((client) => client.socket.id)).size, 50);
          await Promise.all(all.map(async (client, i) => {
            const sent = mixed(40, i * 1000);
            for (const data of sent) client.send(data);
            same(await client.count(sent.length, 60_000), sent);
          }));
        });

        test("a closed client can come back", async () => {
          for (let i = 0; i < 5; i++) {
            const client = await open();
            assert.equal(await client.echo(`visit ${i}`), `visit ${i}`);
            await client.close();
          }
        });
      });
    }

    describe("the upgrade", () => {
      test("in the middle of a burst", async () => {
        const client = keep(new Client(server.url, modes.upgrade.options));
        const sent = mixed(1000);
        const seen = [];
        const stage = (name, from, to) => {
          seen.push([name, client.transport]);
          for (const data of sent.slice(from, to)) client.send(data);
        };
        client.socket.once("open", () => stage("open", 0, 300));
        client.socket.once("upgrading", () => stage("upgrading", 300, 600));
        client.socket.once("upgrade", () => stage("upgrade", 600, 1000));
        same(await client.count(sent.length, 60_000), sent);
        assert.deepEqual(seen, [["open", "polling"], ["upgrading", "polling"], ["upgrade", "websocket"]]);
        assert.equal(client.transport, "websocket");
      });

      test("under a sender that never stops, 20 times", async () => {
        await Promise.all(Array.from({ length: 20 }, async (_, k) => {
          const client = keep(await Client.open(server.url, modes.upgrade.options));
          const sent = [];
          let more = Infinity; // after the upgrade a hundred more, and done
          client.socket.once("upgrade", () => (more = 100));
          await new Promise((resolve) => {
            const pump = () => {
              if (more-- <= 0 || client.closed) return resolve();
              const [data] = mixed(1, k * 100_000 + sent.length);
              sent.push(data);
              client.send(data);
              setImmediate(pump);
            };
            pump();
          });
          same(await client.count(sent.length, 60_000), sent);
          assert.deepEqual(client.upgrades, ["websocket"]);
        }));
      });

      test("is remembered by the client", async () => {
        const first = keep(await Client.in("upgrade", server.url));
        assert.equal(await first.echo("one"), "one");
        const second = keep(await Client.open(server.url, { ...modes.upgrade.options, rememberUpgrade: true }));
        assert.equal(second.transport, "websocket");
        assert.equal(await second.echo("two"), "two");
        assert.deepEqual(second.upgrades, []);
      });
    });

    describe("connections that are kept alive", () => {
      test("fetch, polling only", async () => {
        const client = keep(await Client.open(server.url, fetchPolling));
        const sent = mixed(300);
        for (const data of sent) client.send(data);
        same(await client.count(sent.length), sent);
        assert.equal(client.transport, "polling");
      });

      test("fetch, then WebSocket", async () => {
        const client = keep(await Client.open(server.url, fetchUpgrade));
        const sent = mixed(300);
        for (const data of sent) client.send(data);
        same(await client.count(sent.length), sent);
        await client.settle("websocket");
        assert.equal(await client.echo("after"), "after");
      });

      test("two sessions take turns on the connections of one agent", async () => {
        const agent = new http.Agent({ keepAlive: true });
        try {
          const options = { ...modes.polling.options, agent };
          const [a, b] = await Promise.all([Client.open(server.url, options), Client.open(server.url, options)]);
          keep(a);
          keep(b);
          for (let i = 0; i < 30; i++) {
            assert.deepEqual(await Promise.all([a.echo(`a${i}`), b.echo(`b${i}`)]), [`a${i}`, `b${i}`]);
          }
          await Promise.all([a.close(), b.close()]);
        } finally {
          agent.destroy();
        }
      });
    });
  });
}
