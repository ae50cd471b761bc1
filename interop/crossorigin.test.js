// Pages of another origin in headless Chromium, with the clients' browser bundles: who may talk to the server, over
// which transport, with which cookies; and JSONP.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { launch, Site, talk } from "./lib/browser.js";
import { mixed, same } from "./lib/client.js";
import { stacks, startEcho } from "./lib/server.js";
import { BINARY, Tap } from "./lib/tap.js";

const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
const long = "compress me, I am the same all over again. ".repeat(100);
const messages = ["hello", "", "€ 漢字 😀 \u2028\u2029", "\n\\n \"</script>", every, long, Buffer.alloc(0), ...mixed(100)];

const ways = {
  polling: { transports: ["polling"], ends: "polling" },
  upgrade: { transports: ["polling", "websocket"], ends: "websocket" },
  websocket: { transports: ["websocket"], ends: "websocket" },
};

describe("pages of another origin in Chromium", { timeout: 300_000 }, () => {
  let browser, site, context, tap;

  before(async () => {
    [browser, site] = await Promise.all([launch(), Site.start()]);
  });
  afterEach(async () => {
    await context?.close();
    await tap?.close();
    context = tap = null;
  });
  after(async () => {
    await browser?.close();
    await site?.stop();
  });

  // visit opens the page of a client in a browser that has no cookies yet.
  async function visit(client, from) {
    context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${from}/${client}`);
    return page;
  }

  for (const stack of stacks) {
    describe(stack, () => {
      const servers = [];
      const echo = async (...flags) => {
        const server = await startEcho("-stack", stack, ...flags);
        servers.push(server);
        return server;
      };
      let friendly, strict;

      before(async () => {
        friendly = await echo("-cors-origins", `${site.byName},${site.byAddress}`, "-cors-credentials", "-cookie", "io");
        strict = await echo("-cors-origins", "https://app.example.com");
      });
      afterEach(() => {
        for (const server of servers) assert.equal(server.trouble(), "");
      });
      after(() => Promise.all(servers.map((server) => server.stop())));

      for (const client of [6, 3]) {
        for (const [way, { transports, ends }] of Object.entries(ways)) {
          test(`engine.io-client ${client}, ${way}, from an allowed origin`, async () => {
            tap = await Tap.on(friendly);
            // The same site but for the port, so that the cookie is sent; and another site, where it is not.
            for (const [from, to, cookie] of [[site.byAddress, tap.url, true], [site.byName, tap.url, false]]) {
              const before = tap.exchanges.length;
              const page = await visit(client, from);
              const told = await talk(page, to, { transports, withCredentials: true }, messages);
              assert.equal(told.error, undefined);
              same(told.received, messages);
              assert.equal(told.transport, ends);
              assert.deepEqual(told.upgrades, way === "upgrade" ? ["websocket"] : []);
              const mine = tap.exchanges.filter((e) => e.headers.origin === from && e.status !== undefined);
              assert.ok(mine.length > 0 && tap.exchanges.length > before);
              for (const { method, url, query, headers, status, answer } of mine) {
                assert.ok(status === 200 || status === 101 || (method === "OPTIONS" && status === 204), `${method} ${url}: ${status}`);
                assert.equal(query.get("EIO"), client === 3 ? "3" : "4");
                assert.equal(answer.headers["access-control-allow-origin"], from, url);
                assert.equal(answer.headers["access-control-allow-credentials"], "true");
                assert.match(answer.headers.vary, /\bOrigin\b/);
                if (!query.has("sid")) assert.match(answer.headers["set-cookie"], new RegExp(`^io=${told.sid};`));
                else if (method !== "OPTIONS") assert.equal(headers.cookie, cookie ? `io=${told.sid}` : undefined, url);
              }
              const own = mine.filter(({ query }) => !query.has("sid") || query.get("sid") === told.sid);
              assert.equal(own.filter(({ status }) => status === 101).length, way === "polling" ? 0 : 1);
              negotiated(own, client, way);
              await context.close();
            }
          });
        }

        test(`engine.io-client ${client} from a foreign origin is refused on both transports`, async () => {
          tap = await Tap.on(strict);
          for (const transport of ["polling", "websocket"]) {
            const page = await visit(client, site.byName);
            const told = await talk(page, tap.url, { transports: [transport] }, ["hello"]);
            assert.match(told.error, transport === "polling" ? /^error: xhr poll error/ : /^error: websocket error/);
            assert.deepEqual(told.received, []);
            await context.close();
          }
          assert.deepEqual(tap.exchanges.map(({ query, status }) => [query.get("transport"), status]), [["polling", 403], ["websocket", 403]]);
          for (const { headers, answer } of tap.exchanges) {
            assert.equal(headers.origin, site.byName);
            assert.ok(!("access-control-allow-origin" in answer.headers));
            assert.deepEqual(JSON.parse(answer.body), { code: 4, message: "Origin not allowed" });
          }
        });
      }

      test("* serves every page, but not with credentials", async () => {
        tap = await Tap.on(await echo("-cors-origins", "*"));
        for (const [client, options, fine] of [
          [6, {}, true],
          [6, { withCredentials: true }, false],
          [3, {}, false], // it sends credentials unless told not to
        ]) {
          const page = await visit(client, site.byName);
          const told = await talk(page, tap.url, { transports: ["polling"], ...options }, ["hello"]);
          if (fine) assert.deepEqual([told.error, told.received], [undefined, ["hello"]]);
          else assert.match(told.error, /^error: xhr poll error/); // the browser keeps the answer to itself
          await context.close();
        }
        for (const { answer } of tap.exchanges) assert.equal(answer.headers["access-control-allow-origin"], "*");
      });

      describe("JSONP, engine.io-client 3", () => {
        const jsonp = { transports: ["polling"], forceJSONP: true };
        const tricky = [
          "plain",
          "",
          `quotes " ' \` and "\\"`,
          "</script><script>document.title = 'pwned'</script><!-- ]]>",
          "\u2028 and \u2029",
          "one\ntwo\n\nfour\n",
          "\\n is no line feed, \\\\n neither", // a backslash before a line feed looks like the first, the client sees to that
          "back\\slash \\\\ \\u0041 \\",
          "€ é 漢字 😀𝄞👩‍👩‍👧‍👦",
          "a=1&d=2+3%20%zz;d=",
          "\t\b\f\v\0\x7f",
          "b4AQIDBA==",
          "___eio[0]('x');",
          every,
          Buffer.alloc(0),
          Buffer.alloc(100_000, 0xfe),
          "x".repeat(100_000),
        ];

        // used checks that nothing but script elements and forms was at work.
        function used(sid) {
          const own = tap.exchanges.filter(({ query, status }) => status !== undefined && (!query.has("sid") || query.get("sid") === sid));
          assert.ok(own.some(({ method }) => method === "GET") && own.some(({ method }) => method === "POST"));
          assert.equal(tap.websockets.length, 0);
          for (const { method, query, headers, status, answer } of own) {
            assert.equal(status, 200);
            assert.equal(query.get("EIO"), "3");
            assert.match(query.get("j"), /^\d+$/);
            if (!query.has("sid")) assert.equal(query.get("b64"), "1");
            if (method === "GET") {
              assert.equal(headers["sec-fetch-dest"], "script");
              const script = answer.body.toString();
              if (answer.headers["content-encoding"] === "zstd") continue; // Node 20 does not know it
              assert.ok(script.startsWith(`___eio[${query.get("j")}]("`) && script.endsWith('");'), script.slice(0, 60));
              assert.doesNotMatch(script, /[<\n\r\u2028\u2029]/);
            } else {
              assert.equal(method, "POST");
              assert.equal(headers["sec-fetch-dest"], "iframe");
              assert.equal(headers["content-type"], "application/x-www-form-urlencoded");
              assert.match(headers.origin, /^http:/);
              assert.match(answer.headers["content-type"], /^text\/html/);
              assert.equal(answer.body.toString(), "ok");
            }
          }
          const bodies = own.filter(({ method }) => method === "POST").map(({ body }) => body.toString());
          for (const body of bodies) assert.match(body, /^d=\d+%3A/);
          return bodies;
        }

        for (const [what, flags] of [["plain", ["-http-compression=false"]], ["compressed", []]]) {
          test(`what is tricky arrives, both ways, ${what}`, async () => {
            tap = await Tap.on(await echo("-cors-origins", site.byName, ...flags));
            const page = await visit(3, site.byName);
            const told = await talk(page, tap.url, jsonp, tricky);
            assert.equal(told.error, undefined);
            same(told.received, tricky);
            assert.equal(told.transport, "polling");
            const bodies = used(told.sid);
            assert.ok(bodies.some((body) => body.includes("%3Ab4AAECAwQF")), "binary as base64");
            assert.equal(tap.polls.some(({ answer }) => "content-encoding" in answer.headers), what === "compressed");
            assert.equal(await page.title(), "3");
          });
        }

        test("one message after the other, from two sessions on one page", async () => {
          tap = await Tap.on(await echo("-cors-origins", site.byName));
          const page = await visit(3, site.byName);
          const sent = [0, 1].map((k) => Array.from({ length: 10 }, (_, i) => `session ${k}, message ${i} \n€`));
          const received = await page.evaluate(
            ({ url, options, sent }) =>
              Promise.all(sent.map((texts) => new Promise((resolve, reject) => {
                const socket = eio(url, { ...options });
                const got = [];
                const next = () => (got.length < texts.length ? socket.send(texts[got.length]) : socket.close());
                socket.on("open", next);
                socket.on("message", (text) => (got.push(text), next()));
                socket.on("close", () => resolve(got));
                socket.on("error", reject);
              }))),
            { url: tap.url, options: jsonp, sent },
          );
          assert.deepEqual(received, sent);
          assert.deepEqual(new Set(tap.exchanges.map(({ query }) => query.get("j"))), new Set(["0", "1"]));
        });

        test("and the upgrade to WebSocket", async () => {
          tap = await Tap.on(await echo("-cors-origins", site.byName));
          const page = await visit(3, site.byName);
          const told = await talk(page, tap.url, { ...jsonp, transports: ["polling", "websocket"] }, [...tricky, ...tricky]);
          assert.equal(told.error, undefined);
          same(told.received, [...tricky, ...tricky]);
          assert.deepEqual([told.transport, told.upgrades], ["websocket", ["websocket"]]);
          assert.ok(tap.polls.every(({ query }) => query.has("j")));
          assert.equal(tap.websockets.length, 1);
        });

        test("-jsonp=false refuses it, and leaves the rest", async () => {
          tap = await Tap.on(await echo("-cors-origins", site.byName, "-cors-credentials", "-jsonp=false"));
          const page = await visit(3, site.byName);
          const refused = await talk(page, tap.url, jsonp, ["hello"]);
          assert.match(refused.error, /jsonp poll error/);
          assert.deepEqual(tap.exchanges.map(({ status, answer }) => [status, JSON.parse(answer.body).code]), [[400, 3]]);
          const told = await talk(page, tap.url, { transports: ["polling"] }, ["hello"]);
          assert.deepEqual([told.error, told.received], [undefined, ["hello"]]);
        });

        test("a foreign origin cannot post", async () => {
          tap = await Tap.on(strict);
          const page = await visit(3, site.byName);
          await page.evaluate(({ url, options }) => {
            const socket = eio(url, options);
            socket.on("open", () => socket.send("hello"));
          }, { url: tap.url, options: jsonp });
          // It may be refused before that: a script element that asks has no Origin, but other marks.
          const answered = () => tap.exchanges.filter(({ status }) => status >= 400);
          await tap.until(() => answered().length > 0, "a refusal");
          const [{ answer }] = answered();
          assert.deepEqual(JSON.parse(answer.body), { code: 4, message: "Origin not allowed" });
          assert.equal(tap.posts.length, 0);
        });
      });
    });
  }
});

// negotiated looks at how binary data and long answers came, of a browser that takes all there is.
function negotiated(own, client, way) {
  const polls = own.filter(({ method, query, status }) => method === "GET" && query.get("transport") === "polling" && status === 200);
  const posts = own.filter(({ method }) => method === "POST");
  if (way === "polling") {
    assert.ok(polls.some(({ answer }) => answer.headers["content-encoding"] === "zstd"), "no answer was compressed");
    const octets = (headers) => headers["content-type"] === "application/octet-stream";
    assert.equal(posts.some(({ headers }) => octets(headers)), client === 3);
    assert.equal(polls.some(({ answer }) => octets(answer.headers)), client === 3);
  }
  for (const { sent, received } of own.filter(({ status }) => status === 101)) {
    if (way === "upgrade") {
      assert.equal(sent[0].data.toString(), "2probe");
      assert.equal(received[0].data.toString(), "3probe");
      continue; // how much of the rest came before it is up to the browser
    }
    for (const frames of [sent, received]) {
      const binary = frames.filter(({ opcode }) => opcode === BINARY);
      assert.ok(binary.length > 0);
      if (client === 3) for (const { data } of binary) assert.equal(data[0], 4);
    }
  }
}
