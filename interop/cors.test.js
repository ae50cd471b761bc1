// What browsers look at when a page of another origin talks to the server, by plain requests; and the cookie.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { WebSocket } from "ws";
import { pick, refusal, request } from "./lib/raw.js";
import { stacks, startEcho } from "./lib/server.js";
import { within } from "./lib/wait.js";

const HANDSHAKE = "/engine.io/?EIO=4&transport=polling";
const friend = "https://app.example.com";
const stranger = "https://evil.example";

for (const stack of stacks) {
  describe(`cross-origin requests, ${stack}`, { timeout: 120_000 }, () => {
    const servers = [];
    const echo = async (...flags) => {
      const server = await startEcho("-stack", stack, ...flags);
      servers.push(server);
      return server;
    };
    after(() => Promise.all(servers.map((server) => server.stop())));

    const ask = (server, origin, { path = HANDSHAKE, method = "GET", body, headers = {} } = {}) =>
      request(server.url + path, { method, body, headers: { ...(origin && { Origin: origin }), ...headers } });

    // preflight asks what a browser asks before a request that a form could not make.
    const preflight = (server, origin) =>
      ask(server, origin, {
        method: "OPTIONS",
        headers: { "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-token" },
      });

    const forbidden = { status: 403, code: 4, message: "Origin not allowed" };

    // admitted and refused look at the same request in all the ways a browser makes it.
    async function admitted(server, origin, cors) {
      for (const eio of [3, 4]) {
        const res = await ask(server, origin, { path: HANDSHAKE.replace("EIO=4", `EIO=${eio}`) });
        assert.equal(res.status, 200, origin);
        assert.deepEqual(corsOf(res), cors, `${origin}, revision ${eio}`);
        const ws = await upgrade(server, origin, `EIO=${eio}&transport=websocket`);
        assert.equal(ws.status, 101, origin);
        assert.deepEqual(corsOf(ws), cors, `${origin}, revision ${eio}, websocket`);
      }
      assert.equal((await preflight(server, origin)).status, 204, origin);
    }

    async function refused(server, origin, cors = { vary: ["origin"] }) {
      const answers = {
        polling: await ask(server, origin),
        websocket: await upgrade(server, origin),
        preflight: await preflight(server, origin),
      };
      for (const [how, res] of Object.entries(answers)) {
        assert.deepEqual(refusal(res), forbidden, `${origin}, ${how}`);
        assert.deepEqual(corsOf(res), cors, `${origin}, ${how}`);
        assert.equal(res.headers["set-cookie"], undefined);
      }
    }

    test("without origins only the own host may", async () => {
      const server = await echo();
      await refused(server, stranger);
      for (const origin of ["null", "http://localhost", `http://localhost:${server.port}`, "http://127.0.0.1:1", `http://${server.host}.evil.example`, "x"]) {
        await refused(server, origin);
      }
      // Behind a proxy the server cannot know whether it is http or https to the browser.
      for (const own of [`http://${server.host}`, `https://${server.host}`]) {
        await admitted(server, own, { origin: own, vary: ["origin"] });
      }
    });

    test("no Origin is no page of somebody else's", async () => {
      const server = await echo("-cors-origins", friend);
      const res = await ask(server);
      assert.equal(res.status, 200);
      assert.deepEqual(corsOf(res), { vary: ["origin"] });
      assert.equal((await upgrade(server)).status, 101);
    });

    test("listed origins may, exactly and by subdomain", async () => {
      const server = await echo("-cors-origins", `${friend},http://localhost:8080,https://*.cdn.example`);
      for (const origin of [friend, "http://localhost:8080", "https://a.cdn.example", "https://a.b.cdn.example"]) {
        await admitted(server, origin, { origin, vary: ["origin"] });
      }
      for (const origin of [
        stranger,
        "http://app.example.com", // the scheme
        "https://app.example.com:8443", // the port
        "http://localhost:8081",
        "https://app.example.com.evil.example",
        "https://xapp.example.com",
        "https://cdn.example", // not a subdomain
        "https://evilcdn.example",
        "http://a.cdn.example",
        "null",
      ]) {
        await refused(server, origin);
      }
    });

    test("* lets everybody in, without credentials", async () => {
      const server = await echo("-cors-origins", "*");
      for (const origin of [friend, stranger, "null"]) await admitted(server, origin, { origin: "*", vary: [] });
    });

    test("credentials", async () => {
      const server = await echo("-cors-origins", friend, "-cors-credentials", "-cookie", "io");
      await admitted(server, friend, { origin: friend, credentials: "true", vary: ["origin"] });
      await refused(server, stranger);
      const answer = await preflight(server, friend);
      assert.deepEqual(corsOf(answer), { origin: friend, credentials: "true", vary: ["origin", "access-control-request-headers"] });
    });

    test("credentials and *: the origin is named, as browsers want it", async () => {
      const server = await echo("-cors-origins", "*", "-cors-credentials");
      await admitted(server, stranger, { origin: stranger, credentials: "true", vary: ["origin"] });
    });

    test("the preflight", async () => {
      const server = await echo("-cors-origins", friend);
      const res = await preflight(server, friend);
      assert.deepEqual(pick(res), { status: 204, body: "" });
      assert.deepEqual(corsOf(res), { origin: friend, vary: ["origin", "access-control-request-headers"] });
      assert.deepEqual(list(res.headers["access-control-allow-methods"]), ["get", "post"]);
      assert.equal(res.headers["access-control-allow-headers"], "content-type,x-token");
      assert.ok(Number(res.headers["access-control-max-age"]) > 0);

      const plain = await ask(server, friend, { method: "OPTIONS", headers: { "Access-Control-Request-Method": "GET" } });
      assert.equal(plain.status, 204);
      assert.deepEqual(corsOf(plain), { origin: friend, vary: ["origin"] });
      assert.equal(plain.headers["access-control-allow-headers"], undefined);

      const none = await ask(server, undefined, { method: "OPTIONS" }); // nobody's browser
      assert.deepEqual(refusal(none), { status: 400, code: 2, message: "Bad handshake method" });
    });

    test("the preflight of a session's requests", async () => {
      const server = await echo("-cors-origins", friend);
      const { sid } = JSON.parse((await ask(server, friend)).body.slice(1));
      const path = `${HANDSHAKE}&sid=${sid}`;
      assert.equal((await ask(server, friend, { path, method: "OPTIONS" })).status, 204);
      assert.deepEqual(refusal(await ask(server, stranger, { path, method: "OPTIONS" })), forbidden);
      assert.equal((await ask(server, friend, { path, method: "POST", body: "4still" })).body, "ok");
      assert.equal((await ask(server, friend, { path })).body, "4still");
    });

    test("every answer has the headers, errors too, so that the page can read them", async () => {
      const server = await echo("-cors-origins", friend, "-cors-credentials");
      const want = { origin: friend, credentials: "true", vary: ["origin"] };
      const { sid } = JSON.parse((await ask(server, friend)).body.slice(1));
      const path = `${HANDSHAKE}&sid=${sid}`;
      const answers = {
        "a POST": [200, await ask(server, friend, { path, method: "POST", body: "4hi" })],
        "a poll": [200, await ask(server, friend, { path })],
        "unknown transport": [400, await ask(server, friend, { path: "/engine.io/?EIO=4&transport=abc" })],
        "unknown session": [400, await ask(server, friend, { path: `${HANDSHAKE}&sid=abc` })],
        "wrong method": [400, await ask(server, friend, { method: "POST", body: "4hi" })],
        "wrong revision": [400, await ask(server, friend, { path: "/engine.io/?EIO=9&transport=polling" })],
        "refused by the application": [403, await ask(server, friend, { path: `${HANDSHAKE}&reject=1` })],
        "refused by the application, websocket": [403, await upgrade(server, friend, "EIO=4&transport=websocket&reject=1")],
        "too large": [413, await ask(server, friend, { path, method: "POST", body: "4".padEnd(1_000_001, "x") })],
        "wrong content": [400, await ask(server, friend, { path, method: "POST", body: "4hi", headers: { "Content-Type": "application/octet-stream" } })],
      };
      for (const [what, [status, res]] of Object.entries(answers)) {
        assert.equal(res.status, status, what);
        assert.deepEqual(corsOf(res), want, what);
      }
    });

    test("a stranger cannot go on with a session", async () => {
      const server = await echo("-cors-origins", friend);
      const { sid } = JSON.parse((await ask(server, friend)).body.slice(1));
      const path = `${HANDSHAKE}&sid=${sid}`;
      assert.deepEqual(refusal(await ask(server, stranger, { path })), forbidden);
      assert.deepEqual(refusal(await ask(server, stranger, { path, method: "POST", body: "4mine" })), forbidden);
      assert.deepEqual(refusal(await upgrade(server, stranger, `EIO=4&transport=websocket&sid=${sid}`)), forbidden);
      assert.equal((await ask(server, friend, { path, method: "POST", body: "4ours" })).body, "ok");
      assert.equal((await ask(server, friend, { path })).body, "4ours");
    });

    test("compressed answers vary on both", async () => {
      const server = await echo("-cors-origins", friend, "-compression-threshold", "10");
      const res = await ask(server, friend, { headers: { "Accept-Encoding": "gzip" } });
      assert.equal(res.headers["content-encoding"], "gzip");
      assert.deepEqual(corsOf(res), { origin: friend, vary: ["origin", "accept-encoding"] });
    });

    describe("the cookie", () => {
      let server;
      const handshake = (path = HANDSHAKE, options) => request(server.url + path, options);

      test("comes with the polling handshake, and only with it", async () => {
        server = await echo("-cookie", "io");
        for (const eio of [3, 4]) {
          const path = HANDSHAKE.replace("EIO=4", `EIO=${eio}`);
          const res = await handshake(path);
          const { sid } = JSON.parse(res.body.slice(res.body.indexOf("{")));
          ours(res, sid);
          const packet = eio === 3 ? "3:4hi" : "4hi";
          for (const options of [{ method: "POST", body: packet }, {}]) {
            const next = await handshake(`${path}&sid=${sid}`, { ...options, headers: { Cookie: `io=${sid}` } });
            assert.equal(next.status, 200);
            assert.equal(next.headers["set-cookie"], undefined);
          }
        }
      });

      test("comes with the 101 of a handshake, and not with that of an upgrade", async () => {
        const direct = await upgrade(server);
        assert.equal(direct.status, 101);
        ours(direct, JSON.parse(direct.first.slice(1)).sid);

        const { sid } = JSON.parse((await handshake()).body.slice(1));
        const later = await upgrade(server, undefined, `EIO=4&transport=websocket&sid=${sid}`, "2probe");
        assert.equal(later.status, 101);
        assert.equal(later.first, "3probe");
        assert.equal(later.headers["set-cookie"], undefined);
      });

      test("does not come with a refusal", async () => {
        for (const path of [`${HANDSHAKE}&reject=1`, `${HANDSHAKE}&sid=abc`, "/engine.io/?EIO=9&transport=polling"]) {
          const res = await handshake(path);
          assert.ok(res.status >= 400);
          assert.equal(res.headers["set-cookie"], undefined);
        }
        const ws = await upgrade(server, undefined, "EIO=4&transport=websocket&reject=1");
        assert.equal(ws.status, 403);
        assert.equal(ws.headers["set-cookie"], undefined);
      });

      test("is not there unless asked for", async () => {
        const plain = await echo();
        assert.equal((await request(plain.url + HANDSHAKE)).headers["set-cookie"], undefined);
        assert.equal((await upgrade(plain)).headers["set-cookie"], undefined);
      });
    });
  });
}

// ours checks that the answer sets the cookie as it should, and no other.
function ours({ headers }, sid) {
  assert.equal(headers["set-cookie"]?.length, 1);
  const [value, ...attributes] = headers["set-cookie"][0].split("; ");
  assert.equal(value, `io=${sid}`);
  assert.deepEqual(attributes.map((a) => a.toLowerCase()).sort(), ["httponly", "path=/", "samesite=lax"]);
}

// corsOf picks what browsers look at.
function corsOf({ headers }) {
  const cors = { vary: list(headers.vary) };
  if ("access-control-allow-origin" in headers) cors.origin = headers["access-control-allow-origin"];
  if ("access-control-allow-credentials" in headers) cors.credentials = headers["access-control-allow-credentials"];
  return cors;
}

const list = (header) => (header ?? "").toLowerCase().split(",").map((s) => s.trim()).filter(Boolean);

// upgrade makes a WebSocket handshake and returns the answer, and the first message after a 101.
function upgrade(server, origin, query = "EIO=4&transport=websocket", hello) {
  const ws = new WebSocket(`ws://${server.host}/engine.io/?${query}`, { origin, perMessageDeflate: false });
  const answer = new Promise((resolve, reject) => {
    let res;
    ws.once("upgrade", ({ statusCode, headers }) => (res = { status: statusCode, headers }));
    ws.once("open", () => hello && ws.send(hello));
    ws.once("message", (data) => {
      resolve({ ...res, first: data.toString() });
      ws.close();
    });
    ws.once("close", () => reject(new Error(`closed before a message came, ${JSON.stringify(res)}`)));
    ws.once("unexpected-response", (_, res) => {
      const parts = [];
      res.on("data", (part) => parts.push(part));
      res.on("end", () => {
        resolve({ status: res.statusCode, headers: res.headers, body: Buffer.concat(parts).toString() });
        ws.terminate();
      });
    });
    ws.on("error", () => {}); // close tells
  });
  return within(answer, `the answer to ${query}`);
}
