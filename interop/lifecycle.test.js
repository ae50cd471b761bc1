// How sessions begin and end, with engine.io-client 6: refusals, heartbeats, closing on both sides, options.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Client, modes } from "./lib/client.js";
import { connect, dial, gone, pick, refusal, request, Session } from "./lib/raw.js";
import { stacks, startEcho } from "./lib/server.js";
import { event, until, within } from "./lib/wait.js";

for (const stack of stacks) {
  describe(`life of a session, ${stack}`, { timeout: 240_000 }, () => {
    const servers = [];
    const echo = async (...flags) => {
      const server = await startEcho("-stack", stack, ...flags);
      servers.push(server);
      return server;
    };
    after(() => Promise.all(servers.map((server) => server.stop())));

    for (const mode of Object.keys(modes)) {
      test(`SIGTERM is seen as a close, ${mode}`, async () => {
        const server = await echo();
        const clients = await Promise.all(Array.from({ length: 10 }, () => Client.in(mode, server.url)));
        for (const client of clients) assert.equal(await client.echo("hello"), "hello");
        const stopped = server.terminate();
        for (const client of clients) {
          const [reason, details] = await within(client.ended, "the close");
          assert.equal(reason, "transport close");
          if (modes[mode].ends === "websocket") assert.equal(details.context.code, 1001);
          else assert.equal(details.description, "transport closed by the server");
        }
        await stopped;
      });

      test(`SIGTERM lets what was said before out, ${mode}`, async () => {
        const server = await echo();
        const client = await Client.in(mode, server.url);
        for (let i = 0; i < 100; i++) client.send(`last words ${i}`);
        await client.count(1);
        const stopped = server.terminate();
        await within(client.ended, "the close");
        client.received.forEach((text, i) => assert.equal(text, `last words ${i}`));
        await stopped;
      });

      test(`a client that closes is gone, ${mode}`, async () => {
        const server = await echo();
        const client = await Client.in(mode, server.url);
        const sid = client.socket.id;
        assert.equal(await client.echo("hello"), "hello");
        await client.close();
        await gone(server, sid);
      });

      test(`heartbeats keep a session, ${mode}`, async () => {
        const server = await echo("-ping-interval", "150ms", "-ping-timeout", "10s");
        const client = await Client.in(mode, server.url);
        for (let i = 0; i < 6; i++) await event(client.socket, "ping");
        assert.equal(await client.echo("alive"), "alive");
        await client.close();
      });
    }

    test("SIGTERM right behind an upgrade closes the new transport", async () => {
      for (let round = 0; round < 5; round++) {
        const server = await echo();
        // The client has changed over when it says so; the server has the last packet of the upgrade still to read.
        const clients = await Promise.all(Array.from({ length: 10 }, () => Client.in("upgrade", server.url)));
        const stopped = server.terminate();
        for (const client of clients) {
          const [reason, details] = await within(client.ended, "the close");
          assert.deepEqual([reason, details.context.code], ["transport close", 1001]);
        }
        await stopped;
      }
    });

    test("SIGTERM between the probe and the end of an upgrade closes the new transport", async () => {
      const server = await echo();
      const session = await Session.open(server);
      const ws = dial(session.ws);
      await ws.opened;
      ws.send("2probe");
      assert.equal(await ws.next(1), "3probe");
      const stopped = server.terminate();
      await until(async () => {
        const res = await request(`${server.url}/engine.io/?EIO=4&transport=polling`);
        return res.status === 503;
      }, "handshakes to be refused");
      ws.send("5");
      assert.equal((await within(ws.closed, "the close")).code, 1001);
      await stopped;
    });

    test("SIGTERM does not wait for connections on which nobody asks for anything", async () => {
      const server = await echo();
      const silent = await Promise.all([connect(server), connect(server)]); // browsers open some in advance
      for (const socket of silent) socket.on("error", () => {});
      const client = await Client.in("upgrade", server.url);
      assert.equal(await client.echo("hello"), "hello");
      await server.terminate();
      for (const socket of silent) socket.destroy();
    });

    test("a client that stops to answer is closed", async () => {
      const server = await echo("-ping-interval", "100ms", "-ping-timeout", "100ms");
      const session = await Session.open(server);
      assert.equal(session.handshake.pingInterval, 100);
      assert.equal(session.handshake.pingTimeout, 100);
      assert.deepEqual(await session.get().then(pick), { status: 200, body: "2" });
      await gone(server, session.handshake.sid);

      const ws = dial(`${session.ws.split("&sid")[0]}`);
      await ws.next(2);
      assert.equal(ws.frames[1], "2");
      await within(ws.closed, "the close");
    });

    test("a refused handshake is 403 on both transports, before 101", async () => {
      const server = await echo();
      const polling = new Client(server.url, { ...modes.polling.options, query: { reject: "1" } });
      let body = ""; // the client empties the response right after the event
      polling.socket.once("error", (err) => (body = err.context.responseText));
      const [err] = await event(polling.socket, "error");
      assert.equal(err.type, "TransportError");
      assert.equal(err.description, 403);
      assert.equal(JSON.parse(body).code, 4);
      assert.equal(polling.closed[0], "transport error");

      const websocket = new Client(server.url, { ...modes.websocket.options, query: { reject: "1" } });
      const [wsErr] = await event(websocket.socket, "error");
      assert.match(wsErr.description.message, /403/);
      assert.equal(websocket.closed[0], "transport error");

      const query = "/engine.io/?EIO=4&reject=1&transport=";
      const ws = await within(dial(`ws://${server.host}${query}websocket`).refused, "the refusal");
      const http = await request(`${server.url}${query}polling`);
      assert.deepEqual(refusal(ws), refusal(http));
      assert.equal(refusal(ws).status, 403);
      assert.equal(refusal(ws).code, 4);

      const other = await Client.open(server.url, { ...modes.upgrade.options, query: { reject: "0" } });
      assert.equal(await other.echo("let in"), "let in");
      await other.close();
    });

    test("-path moves the engine, and leaves everything else", async () => {
      const server = await echo("-path", "/deep/er/");
      const client = await Client.in("upgrade", server.url, { path: "/deep/er" });
      assert.equal(await client.echo("here"), "here");
      await client.close();
      for (const path of ["/", "/engine.io/", "/deep/", "/deep/erx/", "/deep/er/x/"]) {
        const { status } = await request(`${server.url}${path}?EIO=4&transport=polling`);
        assert.equal(status, 404, path);
      }
    });

    test("-allow-upgrades=false keeps polling", async () => {
      const server = await echo("-allow-upgrades=false");
      const client = new Client(server.url, modes.upgrade.options);
      const [handshake] = await event(client.socket, "handshake");
      assert.deepEqual(handshake.upgrades, []);
      for (let i = 0; i < 20; i++) assert.equal(await client.echo(`${i}`), `${i}`);
      assert.equal(client.transport, "polling");
      await client.close();
      const direct = await Client.in("websocket", server.url);
      assert.equal(await direct.echo("direct"), "direct");
      await direct.close();
    });

    test("-transports polling: a client that tries WebSocket first falls back", async () => {
      const server = await echo("-transports", "polling");
      const client = await Client.open(server.url, { transports: ["websocket", "polling"], tryAllTransports: true });
      assert.equal(client.transport, "polling");
      assert.equal(await client.echo("fell back"), "fell back");
      await client.close();
      const refused = await within(dial(`ws://${server.host}/engine.io/?EIO=4&transport=websocket`).refused, "the refusal");
      assert.deepEqual(refusal(refused), { status: 400, code: 0, message: "Transport unknown" });
    });

    test("-transports websocket: polling is unknown", async () => {
      const server = await echo("-transports", "websocket");
      const refused = await request(`${server.url}/engine.io/?EIO=4&transport=polling`);
      assert.deepEqual(refusal(refused), { status: 400, code: 0, message: "Transport unknown" });
      const client = await Client.in("websocket", server.url);
      assert.equal(await client.echo("only"), "only");
      await client.close();
    });

    test("-max-payload is told to the client and enforced", async () => {
      const server = await echo("-max-payload", "1000");
      const client = await Client.open(server.url, modes.polling.options);
      const sent = Array.from({ length: 200 }, (_, i) => `${i} ${"w".repeat(90)}`);
      for (const text of sent) client.send(text); // the client cuts its POSTs to 1,000 bytes
      assert.deepEqual(await client.count(sent.length), sent);
      client.send("w".repeat(1000));
      const [reason, details] = await within(client.ended, "the close");
      assert.deepEqual([reason, details.description], ["transport error", 413]);
    });
  });
}
