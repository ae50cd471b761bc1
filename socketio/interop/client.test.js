// socket.io-client 4 and 3, over each transport, on each stack.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { Manager as Manager4 } from "socket.io-client";
import { Manager as Manager3 } from "socket.io-client-3";
import client2 from "socket.io-client-2";
import { event, until, within } from "../../interop/lib/wait.js";
import { ask, comparable, joined, next } from "./lib/client.js";
import { Server, stacks } from "./lib/server.js";

const transports = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] };
const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

const tables = {
  text: [["hello"], [""], ["€ é ñ 漢字 😀 \u2028 \0 \x1e"], ['quotes " and \\ and </script>'], ["x".repeat(200_000)]],
  values: [[], [null], [true, false], [0, -1, 1.5, 1e21, 9007199254740991], [[], {}, [[1], { a: { b: [] } }]], [{ z: 1, a: "2" }, "more"]],
  binary: [[every], [Buffer.alloc(0)], [{ deep: [every, { er: Buffer.from("x") }] }], [Buffer.alloc(100_000, 7), "and text", Buffer.from([1])]],
};

for (const stack of stacks) {
  for (const [version, Manager] of Object.entries({ 4: Manager4, 3: Manager3 })) {
    for (const [way, list] of Object.entries(transports)) {
      describe(`socket.io-client ${version}, ${way}, ${stack}`, { timeout: 120_000 }, () => {
        let server;
        const managers = [];

        // open makes a client of its own: a Manager, whose sockets are its namespaces.
        const open = (options) => {
          const manager = new Manager(server.url, { transports: list, reconnectionDelay: 10, reconnectionDelayMax: 50, ...options });
          managers.push(manager);
          return manager;
        };
        const join = (manager, namespace = "/", options) => joined(manager.socket(namespace, options));

        before(async () => {
          server = await Server.start("-stack", stack);
        });
        afterEach(() => {
          for (const manager of managers.splice(0)) {
            manager.reconnection(false);
            manager._close();
          }
        });
        after(() => server.stop());

        for (const [name, rows] of Object.entries(tables)) {
          test(name, async () => {
            const socket = await join(open());
            for (const row of rows) {
              socket.emit("message", ...row);
              assert.deepEqual(comparable(await next(socket, "message-back")), comparable(row));
              const answer = await within(new Promise((resolve) => socket.emit("message-with-ack", ...row, (...got) => resolve(got))), "the answer");
              assert.deepEqual(comparable(answer), comparable(row));
            }
          });
        }

        test("a burst, in order, with attachments", async () => {
          const socket = await join(open());
          const got = [];
          socket.on("message-back", (i, data) => got.push([i, data && Buffer.from(data).length]));
          for (let i = 0; i < 300; i++) socket.emit("message", i, ...(i % 3 ? [] : [Buffer.alloc(i)]));
          await until(() => got.length === 300, "the burst");
          assert.deepEqual(got, Array.from({ length: 300 }, (_, i) => [i, i % 3 ? undefined : i]));
        });

        test("auth, namespaces, refusals", async () => {
          const manager = open();
          const root = manager.socket("/", { auth: { token: "é" } });
          assert.deepEqual(await next(root, "auth"), [{ token: "é" }]);
          const custom = manager.socket("/custom", { auth: (done) => done({ by: "function" }) });
          assert.deepEqual(await next(custom, "auth"), [{ by: "function" }]);
          assert.notEqual(root.id, custom.id);
          assert.equal(root.id.length, 20);
          assert.notEqual(root.id, manager.engine.id);

          const [nowhere] = await next(manager.socket("/nowhere"), "connect_error");
          assert.equal(nowhere.message, "Invalid namespace");
          const guarded = manager.socket("/guarded", { auth: { password: "guess" } });
          const [refused] = await next(guarded, "connect_error");
          assert.equal(refused.message, "wrong password");
          assert.deepEqual(refused.data, { tried: "guess" });
          guarded.auth = { password: "sesame" };
          await joined(guarded.connect());
          assert.equal(await ask(guarded, "whoami"), guarded.id);

          custom.disconnect();
          assert.equal(await ask(root, "message-with-ack", "still here"), "still here");
          await joined(custom.connect());
          assert.equal(await ask(custom, "message-with-ack", "again"), "again");
        });

        test("answers both ways", async () => {
          const socket = await join(open());
          socket.on("question", (a, b, answer) => answer(b, a));
          socket.emit("ask-me", "x", every);
          assert.deepEqual(comparable(await next(socket, "answered")), [every, "x"]);
          assert.equal(await ask(socket, "ask-me", 1, 2), 2);
          assert.equal(await ask(socket, "divide", [7, 2]), 3);
          assert.deepEqual(await ask(socket, "divide", [7, 0]), { error: "division by zero" });
          assert.deepEqual(await ask(socket, "divide", "seven"), { error: "invalid argument" });
          if (version === "4") {
            assert.equal(await socket.timeout(10_000).emitWithAck("divide", [8, 2]), 4);
            await assert.rejects(socket.timeout(50).emitWithAck("nobody answers this"));
          }
        });

        test("rooms", async () => {
          const sockets = {};
          const got = {};
          for (const [name, rooms] of Object.entries({ a: ["x"], b: ["x", "y"], c: ["y"], d: [] })) {
            const socket = (sockets[name] = await join(open()));
            assert.deepEqual(await ask(socket, "join", rooms), rooms);
            got[name] = [];
            socket.on("sent", (...args) => got[name].push(comparable(args)));
          }
          const send = async (from, to, want) => {
            const mark = [Math.random(), every];
            await ask(sockets[from], "send", to, ...mark);
            const who = () => Object.keys(got).filter((name) => got[name].some(([m]) => m === mark[0])).join("");
            await until(() => who().length >= want.length, `${JSON.stringify(to)} to reach ${want}, not ${who()}`);
            for (const socket of Object.values(sockets)) await ask(socket, "message-with-ack", 1); // what was sent before has come
            assert.equal(who(), want);
            for (const name of want) assert.equal(got[name].filter(([m]) => m === mark[0]).length, 1);
          };
          await send("a", { to: ["x"] }, "b");
          await send("a", { to: ["x"], self: true }, "ab");
          await send("d", { to: ["x", "y"] }, "abc");
          await send("d", { to: ["x", "y"], except: ["y"] }, "a");
          await send("b", { everybody: true }, "acd");
          await send("b", { everybody: true, self: true, except: ["x"] }, "cd");
          await send("a", { to: [sockets.d.id] }, "d");
          await send("a", { to: [] }, "");
          assert.deepEqual(await ask(sockets.b, "leave", ["x"]), ["y"]);
          await send("d", { to: ["x"] }, "a");
          sockets.a.disconnect();
          delete sockets.a;
          await send("d", { to: ["x", "y"] }, "bc");
        });

        test("disconnected by the server", async () => {
          const manager = open();
          const [root, custom] = [await join(manager), await join(manager, "/custom")];
          root.emit("kick-me", false);
          assert.deepEqual((await next(root, "disconnect"))[0], "io server disconnect");
          assert.equal(await ask(custom, "message-with-ack", 1), 1);
          await joined(root.connect());
          const gone = Promise.all([next(root, "disconnect"), next(custom, "disconnect")]);
          root.emit("kick-me", true);
          for (const [reason] of await gone) assert.equal(reason, "io server disconnect");
        });

        test("comes back, and sends what it kept", async () => {
          const own = await Server.start("-stack", stack);
          const manager = new Manager(own.url, { transports: list, reconnectionDelay: 10, reconnectionDelayMax: 100, timeout: 2_000 });
          managers.push(manager);
          const socket = await join(manager);
          const { id } = socket;
          const lost = next(socket, "disconnect");
          await own.stop();
          assert.match((await lost)[0], /^transport (close|error)$/);
          socket.emit("message", "kept");
          const again = next(socket, "message-back");
          const back = await Server.start("-stack", stack, "-addr", own.host);
          try {
            assert.deepEqual(await again, ["kept"]);
            assert.notEqual(socket.id, id);
            manager.reconnection(false);
            manager._close();
          } finally {
            await back.stop();
          }
        });
      });
    }
  }

  describe(`clients of another protocol, ${stack}`, { timeout: 60_000 }, () => {
    test("socket.io-client 2 is told so", async () => {
      const server = await Server.start("-stack", stack);
      for (const list of [["polling"], ["websocket"]]) {
        const socket = client2(server.url, { transports: list, reconnection: false, forceNew: true });
        const [error] = await event(socket, "connect_error");
        assert.match(error.message ?? String(error), /xhr poll error|websocket error/);
        socket.close();
      }
      const answer = await fetch(`${server.url}/socket.io/?EIO=3&transport=polling`);
      assert.equal(answer.status, 400);
      assert.deepEqual(await answer.json(), { code: 5, message: "Unsupported protocol version" });
      await server.stop();
    });
  });
}
